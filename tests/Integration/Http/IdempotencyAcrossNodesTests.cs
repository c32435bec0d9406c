using System.Net;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Application.Identity.Administration;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>A key's answer and its change are one, whichever server is asked and whatever happens to the first one.</summary>
public sealed class IdempotencyAcrossNodesTests(IdempotencyAcrossNodesTests.Nodes nodes) : IClassFixture<IdempotencyAcrossNodesTests.Nodes>
{
    // The servers' own work takes locks of 32 bits, which leave the upper half empty.
    private const string RunningCommands = """
        FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid NOT IN (0, 4294967295)
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Another_server_gives_the_first_ones_answer()
    {
        var (administrator, email) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress());

        var first = await CreateAsync(nodes, administrator, email);
        var second = await CreateAsync(nodes.Second, administrator, email);

        first.Status.Should().Be(HttpStatusCode.Created, first.Text);
        second.Status.Should().Be(HttpStatusCode.Created, second.Text);
        second.Text.Should().Be(first.Text);
        second.Headers.Location.Should().Be(first.Headers.Location);
        (await AccountsOfAsync(email)).Should().Be(1);
        (await EntriesOfAsync(administrator)).Should().Be(1);
        (await CreateAsync(nodes.Second, administrator, Intents.NewAddress()))
            .ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "idempotency.key_reused");
    }

    [Fact]
    public async Task While_the_first_runs_every_server_says_so_and_then_gives_its_answer()
    {
        var (administrator, email, gate) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), new Gate());
        nodes.Around = async (handler, _) =>
        {
            var result = await handler();
            await gate.PassAsync();
            return result;
        };
        var first = CreateAsync(nodes, administrator, email);
        await gate.Reached;

        foreach (var node in new VtpApi[] { nodes, nodes.Second })
        {
            var answer = await CreateAsync(node, administrator, email);
            answer.ShouldBeProblem(HttpStatusCode.Conflict, "idempotency.in_flight");
            answer.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(1));
        }

        (await AccountsOfAsync(email)).Should().Be(0, "it commits with its answer");
        gate.Open();
        (await first).Status.Should().Be(HttpStatusCode.Created);
        (await CreateAsync(nodes.Second, administrator, email)).Text.Should().Be((await first).Text);
        (await AccountsOfAsync(email)).Should().Be(1);
    }

    [Fact]
    public async Task A_handler_that_fails_after_it_has_saved_leaves_nothing()
    {
        var (administrator, email, keys) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), await KeysAsync());
        nodes.Around = async (handler, _) =>
        {
            (await handler()).Refusal.Should().BeNull();
            throw new InvalidOperationException("after the save");
        };

        (await CreateAsync(nodes, administrator, email)).Status.Should().Be(HttpStatusCode.InternalServerError);

        (await AccountsOfAsync(email)).Should().Be(0);
        (await KeysAsync()).Should().Be(keys);
        (await EntriesOfAsync(administrator)).Should().Be(0);
        (await CreateAsync(nodes.Second, administrator, email)).Status.Should().Be(HttpStatusCode.Created);
        (await AccountsOfAsync(email)).Should().Be(1);
    }

    [Fact]
    public async Task When_the_first_ones_connection_dies_a_retry_runs_at_once()
    {
        var (administrator, email, gate) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), new Gate());
        nodes.Around = async (handler, _) =>
        {
            var result = await handler();
            await gate.PassAsync();
            return result;
        };
        var first = CreateAsync(nodes, administrator, email);
        await gate.Reached;

        (await nodes.QueryAsync<long>($"SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 20000) {RunningCommands}) ended")).Should().Be(1);
        var retry = await CreateAsync(nodes.Second, administrator, email);
        gate.Open();

        retry.Status.Should().Be(HttpStatusCode.Created, retry.Text);
        (await first).ShouldBeProblem(HttpStatusCode.ServiceUnavailable, "server.database_away");
        (await AccountsOfAsync(email)).Should().Be(1);
        (await EntriesOfAsync(administrator)).Should().Be(1);
        (await CreateAsync(nodes, administrator, email)).Text.Should().Be(retry.Text);
    }

    [Fact]
    public async Task What_must_outlive_a_refusal_does_and_the_refusal_is_not_kept()
    {
        var (administrator, email, keys) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), await KeysAsync());
        nodes.Around = async (_, db) =>
        {
            db.Emails.Add(MailTo(email));
            await db.SaveUnauditedAsync(CancellationToken.None);
            return Refusal.Forbidden;
        };

        (await CreateAsync(nodes, administrator, email)).Status.Should().Be(HttpStatusCode.Forbidden);

        (await MailsToAsync(email)).Should().Be(1);
        (await KeysAsync()).Should().Be(keys);
        (await CreateAsync(nodes, administrator, email)).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_handler_may_lock_and_save_more_than_once_and_commits_once()
    {
        var (administrator, email, gate) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), new Gate());
        nodes.Around = async (handler, db) =>
        {
            await db.BeginAsync(CancellationToken.None);
            db.Emails.Add(MailTo(email));
            await db.SaveChangesAsync();
            await db.BeginAsync(CancellationToken.None);
            var result = await handler();
            await gate.PassAsync();
            return result;
        };
        var first = CreateAsync(nodes, administrator, email);
        await gate.Reached;

        (await MailsToAsync(email)).Should().Be(0);
        gate.Open();
        (await first).Status.Should().Be(HttpStatusCode.Created);
        (await MailsToAsync(email)).Should().Be(2, "the test's own, and the one that asks to verify the address");
        (await EntriesOfAsync(administrator)).Should().Be(1);
    }

    /// <summary>What is committed early gives the lock up; the table's key stands behind it.</summary>
    [Fact]
    public async Task Of_two_that_both_got_to_run_one_is_answered()
    {
        var (administrator, email, gate) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress(), new Gate());
        nodes.Around = async (handler, db) =>
        {
            await db.SaveUnauditedAsync(CancellationToken.None);
            await gate.PassAsync();
            return await handler();
        };
        var first = CreateAsync(nodes, administrator, email);
        await gate.Reached;
        var second = await CreateAsync(nodes.Second, administrator, email);
        gate.Open();

        second.Status.Should().Be(HttpStatusCode.Created);
        (await first).ShouldBeProblem(HttpStatusCode.Conflict, "idempotency.in_flight");
        (await AccountsOfAsync(email)).Should().Be(1);
        (await CreateAsync(nodes, administrator, email)).Text.Should().Be(second.Text);
    }

    [Fact]
    public async Task A_command_with_nothing_to_save_leaves_its_entry_and_its_answer()
    {
        var (administrator, email) = (await nodes.RegisterAdministratorAsync(), Intents.NewAddress());
        nodes.Around = (_, db) =>
        {
            db.Emails.Add(MailTo(email));
            return Task.FromResult<Result<ManagedUser>>(new ManagedUser(
                Guid.NewGuid(), email, "Not Saved", Role.Teacher, EmailVerified: true, TwoFactorEnabled: false, Disabled: false, nodes.Clock.GetUtcNow()));
        };

        var first = await CreateAsync(nodes, administrator, email);

        first.Status.Should().Be(HttpStatusCode.Created, first.Text);
        (await CreateAsync(nodes, administrator, email)).Text.Should().Be(first.Text);
        (await MailsToAsync(email)).Should().Be(0);
        (await EntriesOfAsync(administrator)).Should().Be(1);
    }

    private OutgoingEmail MailTo(string email) =>
        OutgoingEmail.To(EmailAddress.Parse(email), EmailKind.VerifyEmail, accountId: null, ipAddress: null, userAgent: null, nodes.Clock.GetUtcNow());

    private static Task<Answer> CreateAsync(VtpApi node, Person administrator, string email) => node.SendAsync(
        HttpMethod.Post,
        "admin/users",
        new { email, full_name = "Created Once", role = "teacher" },
        administrator.AccessToken,
        ("Idempotency-Key", "one"));

    private Task<long> AccountsOfAsync(string email) => nodes.QueryAsync<long>("SELECT count(*) FROM accounts WHERE email = $1", email);

    private Task<long> MailsToAsync(string email) => nodes.QueryAsync<long>("SELECT count(*) FROM emails WHERE recipient = $1", email);

    private Task<long> KeysAsync() => nodes.QueryAsync<long>("SELECT count(*) FROM idempotency_keys");

    private Task<long> EntriesOfAsync(Person administrator) => nodes.QueryAsync<long>(
        "SELECT count(*) FROM audit_entries WHERE action = 'account.created' AND reason IS NULL AND actor_id = $1", administrator.UserId);

    /// <summary>Where one command waits until the test lets it go on.</summary>
    private sealed class Gate
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task.WaitAsync(Patience);

        public Task PassAsync()
        {
            _reached.TrySetResult();
            return _open.Task.WaitAsync(Patience);
        }

        public void Open() => _open.TrySetResult();
    }

    /// <summary>Two servers; what happens in the next command of the first one is the test's to say.</summary>
    public sealed class Nodes : VtpApi, IAsyncLifetime
    {
        private SecondNode? _second;
        private Surroundings? _around;

        public delegate Task<Result<ManagedUser>> Surroundings(Func<Task<Result<ManagedUser>>> handler, IVtpDb db);

        public SecondNode Second => _second!;

        public Surroundings Around
        {
            set => _around = value;
        }

        async Task IAsyncLifetime.InitializeAsync()
        {
            await InitializeAsync();
            _second = await SecondNode.BesideAsync(this);
        }

        async Task IAsyncLifetime.DisposeAsync()
        {
            await Second.DisposeAsync();
            await DisposeAsync();
        }

        protected override void Replace(IServiceCollection services) =>
            services.AddTransient<IRequestHandler<CreateUserCommand, Result<ManagedUser>>>(provider => new Surrounded(
                ActivatorUtilities.CreateInstance<CreateUserHandler>(provider),
                provider.GetRequiredService<IVtpDb>(),
                Interlocked.Exchange(ref _around, null) ?? ((handler, _) => handler())));

        private sealed class Surrounded(IRequestHandler<CreateUserCommand, Result<ManagedUser>> handler, IVtpDb db, Surroundings around)
            : IRequestHandler<CreateUserCommand, Result<ManagedUser>>
        {
            public Task<Result<ManagedUser>> Handle(CreateUserCommand request, CancellationToken cancellationToken) =>
                around(() => handler.Handle(request, cancellationToken), db);
        }
    }
}
