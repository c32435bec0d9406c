using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Notifications;
using Vtp.Domain.Common;
using Vtp.Domain.Notifications;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Email;

/// <summary>
/// Takes due mails from their table, a few at a time, and sends each until a server has accepted it. Any number of nodes
/// may run it: a mail that is being sent is leased, and the lease of a node that died runs out.
/// </summary>
internal sealed partial class EmailSender(
    IServiceScopeFactory scopes, EmailRenderer renderer, IEmailProvider provider, TimeProvider clock, ILogger<EmailSender> logger)
    : BackgroundService
{
    // Together they must be sent, or have timed out, within the lease.
    private const int Batch = 4;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll);
        do
        {
            try
            {
                while (await SendBatchAsync(stoppingToken) == Batch)
                {
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogDatabaseAway(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<int> SendBatchAsync(CancellationToken cancellationToken)
    {
        List<OutgoingEmail> due;
        await using (var scope = scopes.CreateAsyncScope())
        {
            var (db, now) = (scope.ServiceProvider.GetRequiredService<VtpDbContext>(), clock.GetUtcNow());
            due = await db.Emails
                .FromSql($"""
                    UPDATE emails SET attempts = attempts + 1, next_attempt_at = {now + Lease}
                    WHERE id IN (
                        SELECT id FROM emails WHERE settled_at IS NULL AND next_attempt_at <= {now}
                        ORDER BY next_attempt_at LIMIT {Batch} FOR UPDATE SKIP LOCKED)
                    RETURNING *
                    """)
                .AsNoTracking()
                .ToListAsync(cancellationToken);
        }

        foreach (var email in due)
        {
            await SendAsync(email, cancellationToken);
        }

        return due.Count;
    }

    private async Task SendAsync(OutgoingEmail email, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();
        try
        {
            var content = await scope.ServiceProvider.GetRequiredService<EmailWriter>().WriteAsync(email, cancellationToken);
            if (content is null)
            {
                email.Settle(clock.GetUtcNow(), "nobody to send it to");
            }
            else
            {
                await provider.SendAsync(renderer.Render(MessageId(email, content), email.Recipient.Value, content.Template, content.Model), cancellationToken);
                email.Settle(clock.GetUtcNow());
            }
        }
        catch (EmailRejected rejected)
        {
            email.Settle(clock.GetUtcNow(), rejected.Message);
            LogGivenUp(email.Id, email.Kind.ToString(), rejected);
        }
#pragma warning disable CA1031 // Whatever keeps this mail from leaving must not keep the next one.
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            email.Failed(exception.GetType().Name, clock.GetUtcNow());
            LogFailed(email.Id, email.Kind.ToString(), email.Attempts, exception);
        }

        db.ChangeTracker.Clear();
        db.Update(email);
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>
    /// A retry keeps its id, so that mailboxes drop the second copy; not when it carries a new token, for they would drop
    /// the one that works.
    /// </summary>
    private Guid MessageId(OutgoingEmail email, EmailContent content) =>
        content.CarriesSecret ? Uuid.NewVersion7(clock.GetUtcNow()) : email.Id;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mail {Id} ({Kind}) failed at attempt {Attempt}; it will be tried again")]
    private partial void LogFailed(Guid id, string kind, int attempt, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mail {Id} ({Kind}) was refused for good")]
    private partial void LogGivenUp(Guid id, string kind, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mails could not be read; trying again")]
    private partial void LogDatabaseAway(Exception exception);
}
