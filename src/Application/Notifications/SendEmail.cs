using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Notifications;

/// <summary>Sends one mail, again and again for most of a day, until a server has accepted it or said never.</summary>
/// <param name="EmailId">Of the row that says to whom, and about what: neither stands in the job.</param>
[Job("email.send", OwnPlaces = 8, MaxAttempts = 30, FirstRetrySeconds = 2, LongestRetrySeconds = 3600)]
[Requires(Permission.Anyone)]
public sealed record SendEmailCommand(Guid EmailId) : ICommand<Done>;

/// <summary>Renders mails and hands them to whoever carries them on.</summary>
public interface IMailer
{
    /// <param name="messageId">Mailboxes drop a second copy with the same one.</param>
    /// <returns>Accepted; or a refusal, of the kind Busy when another attempt may end better. Neither names the recipient.</returns>
    Task<Result<Done>> SendAsync(Guid messageId, EmailAddress recipient, EmailContent content, CancellationToken cancellationToken);
}

internal sealed class SendEmailHandler(IVtpDb db, EmailWriter writer, IMailer mailer, TimeProvider clock)
    : IRequestHandler<SendEmailCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(SendEmailCommand request, CancellationToken cancellationToken)
    {
        var email = await db.Emails.SingleOrDefaultAsync(email => email.Id == request.EmailId, cancellationToken);
        if (email is null or { SettledAt: not null })
        {
            return Done.Value;
        }

        if (await writer.WriteAsync(email, cancellationToken) is not { } content)
        {
            email.Settle(clock.GetUtcNow(), "nobody to send it to");
        }
        else if ((await mailer.SendAsync(MessageId(email, content), email.Recipient, content, cancellationToken)).Refusal is not { } refusal)
        {
            email.Settle(clock.GetUtcNow());
        }
        else if (refusal.Kind != RefusalKind.Busy)
        {
            email.Settle(clock.GetUtcNow(), refusal.Detail);
        }
        else
        {
            email.Failed(refusal.Detail);
            await db.SaveChangesAsync(cancellationToken);
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }

    /// <summary>
    /// A retry keeps its id, so that mailboxes drop the second copy; not when it carries a new token, for they would drop
    /// the one that works.
    /// </summary>
    private Guid MessageId(OutgoingEmail email, EmailContent content) =>
        content.CarriesSecret ? Uuid.NewVersion7(clock.GetUtcNow()) : email.Id;
}

public static class Mailing
{
    /// <summary>Leaves the mail and the job that sends it with the changes of the next save.</summary>
    public static void Send(this IVtpDb db, OutgoingEmail email)
    {
        db.Emails.Add(email);
        db.Enqueue(new SendEmailCommand(email.Id), uniqueKey: email.Id.ToString());
    }
}
