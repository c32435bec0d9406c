using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Notifications;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;
using Vtp.Infrastructure.Email;
using Vtp.Infrastructure.Jobs;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>A mail is a job: tried until a server takes it, and a dead letter when none does. What jobs keep names nobody.</summary>
public sealed class MailTests(MailTests.Api api) : IClassFixture<MailTests.Api>
{
    [Fact]
    public async Task A_mail_that_cannot_leave_is_tried_again_and_its_job_names_nobody()
    {
        var (address, id) = await WriteAsync(to => new IOException($"The server said 451 <{to}> later"));
        await VtpApi.UntilAsync(async () => await OfJobAsync<int>(id, "cardinality(errors)") == 1, "the first attempt");
        (await OfJobAsync<string>(id, "to_jsonb(jobs)::text")).Should().Contain("email.not_sent").And.Contain("IOException").And.NotContain(address);
        (await api.QueryAsync<string>("SELECT failure || attempts FROM emails WHERE id = $1", id)).Should().Be("IOException1");

        api.Fail = _ => null;
        api.Clock.Advance(TimeSpan.FromSeconds(3));

        await SettledAsync(id);
        CountSent(address).Should().Be(1);
        (await api.QueryAsync<string>("SELECT failure FROM emails WHERE id = $1", id)).Should().BeNull();
    }

    [Fact]
    public async Task A_final_no_is_taken_for_one()
    {
        var (_, id) = await WriteAsync(_ => new EmailRejected("550 no such user"));
        await SettledAsync(id);

        (await api.QueryAsync<string>("SELECT failure FROM emails WHERE id = $1", id)).Should().Be("550 no such user");
        (await api.QueryAsync<long>("SELECT count(*) FROM dead_jobs")).Should().Be(0);
    }

    [Fact]
    public async Task A_mail_that_never_left_is_a_dead_letter_and_leaves_when_it_is_replayed()
    {
        var (address, id) = await WriteAsync(_ => new IOException("away"));
        await VtpApi.UntilAsync(async () => await OfJobAsync<string>(id, "state || attempts") == "scheduled1", "the first attempt");
        await api.QueryAsync<int>("UPDATE jobs SET attempts = max_attempts - 1 WHERE kind = 'email.send' AND payload ->> 'EmailId' = $1::text", id.ToString());
        api.Clock.Advance(TimeSpan.FromSeconds(3));

        await VtpApi.UntilAsync(async () => await OfJobAsync<Guid>(id, "id", "dead_jobs") != default, "the dead letter");
        api.Fail = _ => null;
        (await api.Service<DeadJobs>().ReplayAsync(await OfJobAsync<Guid>(id, "id", "dead_jobs"), CancellationToken.None)).Should().BeTrue();

        await SettledAsync(id);
        CountSent(address).Should().Be(1);
    }

    [Fact]
    public async Task Mail_that_a_server_of_the_version_before_left_waiting_is_sent()
    {
        var (address, id) = await WriteAsync(fail: null, enqueue: false);
        await api.QueryAsync<int>("UPDATE emails SET next_attempt_at = now() - interval '1 minute' WHERE id = $1", id);

        using var resource = typeof(JobStore).Assembly.GetManifestResourceStream("migrations/0007_mail_jobs.sql")!;
        using var reader = new StreamReader(resource);
        await api.QueryAsync<int>(await reader.ReadToEndAsync());

        await SettledAsync(id);
        CountSent(address).Should().Be(1);
    }

    private async Task<(string Address, Guid Id)> WriteAsync(Func<string, Exception>? fail, bool enqueue = true)
    {
        var person = await api.RegisterAsync();
        await api.MailSettledAsync();
        api.Fail = message => message.To == person.Email ? fail?.Invoke(message.To) : null;
        var (account, address) = (new AccountId(person.UserId), EmailAddress.Parse(person.Email));
        var email = OutgoingEmail.To(address, EmailKind.PasswordChanged, account, ipAddress: null, userAgent: null, api.Clock.GetUtcNow());
        await using var scope = api.Service<IServiceScopeFactory>().CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();
        if (enqueue)
        {
            db.Send(email);
        }
        else
        {
            db.Emails.Add(email);
        }

        await db.SaveChangesAsync();
        return (person.Email, email.Id);
    }

    private int CountSent(string address) =>
        api.Sent.Count(message => message.To == address && message.Subject.Contains("password", StringComparison.OrdinalIgnoreCase));

    private Task SettledAsync(Guid id) =>
        VtpApi.UntilAsync(() => api.QueryAsync<bool>("SELECT settled_at IS NOT NULL FROM emails WHERE id = $1", id), "the mail to be settled");

    private Task<T?> OfJobAsync<T>(Guid email, string column, string table = "jobs") =>
        api.QueryAsync<T>($"SELECT {column} FROM {table} WHERE kind = 'email.send' AND payload ->> 'EmailId' = $1::text", email.ToString());

    public sealed class Api : VtpApi
    {
        internal ConcurrentQueue<RenderedEmail> Sent { get; } = new();

        internal Func<RenderedEmail, Exception?> Fail { get; set; } = _ => null;

        protected override void Replace(IServiceCollection services) => services.AddSingleton<IEmailProvider>(new Provider(this));
    }

    private sealed class Provider(Api api) : IEmailProvider
    {
        public Task SendAsync(RenderedEmail email, CancellationToken ct)
        {
            if (api.Fail(email) is { } failure)
            {
                throw failure;
            }

            api.Sent.Enqueue(email);
            return Task.CompletedTask;
        }
    }
}
