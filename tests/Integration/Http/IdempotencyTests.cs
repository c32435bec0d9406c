using System.Net;
using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Identity.Administration;
using Vtp.Domain.Identity.Accounts;
using Vtp.Infrastructure.Idempotency;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed class IdempotencyTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task The_same_key_and_body_get_the_same_answer_and_make_one_account_and_one_entry_in_the_trail()
    {
        var (administrator, email) = (await api.RegisterAdministratorAsync(), Intents.NewAddress());

        var first = await CreateAsync(administrator, "key-1", email);
        var second = await CreateAsync(administrator, "key-1", email);

        first.Status.Should().Be(HttpStatusCode.Created, first.Text);
        second.Status.Should().Be(HttpStatusCode.Created);
        second.Text.Should().Be(first.Text);
        second.Headers.Location.Should().Be(first.Headers.Location);
        (await AccountsOfAsync(email)).Should().Be(1);
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'account.created' AND actor_id = $1", administrator.UserId))
            .Should().Be(1);
    }

    [Fact]
    public async Task Twenty_at_once_under_one_key_make_one_account()
    {
        var (administrator, email) = (await api.RegisterAdministratorAsync(), Intents.NewAddress());

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CreateAsync(administrator, "key-20", email)));

        (await AccountsOfAsync(email)).Should().Be(1);
        var created = answers.Where(answer => answer.Status == HttpStatusCode.Created).ToList();
        created.Should().NotBeEmpty();
        created.Select(answer => answer.Text).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        foreach (var other in answers.Except(created))
        {
            other.ShouldBeProblem(HttpStatusCode.Conflict, "idempotency.in_flight");
        }

        (await CreateAsync(administrator, "key-20", email)).Text.Should().Be(created[0].Text);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_422()
    {
        var administrator = await api.RegisterAdministratorAsync();
        await CreateAsync(administrator, "key-2", Intents.NewAddress());

        (await CreateAsync(administrator, "key-2", Intents.NewAddress())).ShouldBeProblem(HttpStatusCode.UnprocessableEntity, "idempotency.key_reused");
    }

    [Fact]
    public async Task A_key_is_its_callers_own()
    {
        var (one, other) = (await api.RegisterAdministratorAsync(), await api.RegisterAdministratorAsync());
        await CreateAsync(one, "key-3", Intents.NewAddress());

        (await CreateAsync(other, "key-3", Intents.NewAddress())).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_key_is_forgotten_after_a_day_and_a_refusal_at_once()
    {
        var administrator = await api.RegisterAdministratorAsync();
        (await CreateAsync(administrator, "key-4", Intents.NewAddress(), password: "password"))
            .Status.Should().Be(HttpStatusCode.BadRequest, "that password is on every list");
        (await CreateAsync(administrator, "key-4", Intents.NewAddress())).Status.Should().Be(HttpStatusCode.Created);

        api.Clock.Advance(TimeSpan.FromHours(24));
        var later = await administrator.SignInAgainAsync();

        (await CreateAsync(later, "key-4", Intents.NewAddress())).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task What_was_asked_and_answered_cannot_be_read_in_the_table()
    {
        var (administrator, email) = (await api.RegisterAdministratorAsync(), Intents.NewAddress());
        await api.QueryAsync<int>("DELETE FROM idempotency_keys");
        await CreateAsync(administrator, "key-secret", email, Intents.GoodPassword);

        var (answer, fingerprint) = (await ColumnAsync("answer"), await ColumnAsync("fingerprint"));

        answer.Should().NotBeEmpty();
        Encoding.UTF8.GetString(answer).Should().NotContain(email).And.NotContain("Created Once").And.NotContain("Email");
        fingerprint.Should().HaveCountGreaterThan(SHA256.HashSizeInBytes, "a plain hash would let anybody try passwords against it");
        (await CreateAsync(administrator, "key-secret", email, Intents.GoodPassword)).Status.Should().Be(HttpStatusCode.Created);

        async Task<byte[]> ColumnAsync(string name) => (await api.QueryAsync<byte[]>($"SELECT {name} FROM idempotency_keys"))!;
    }

    [Fact]
    public async Task Answers_are_deleted_once_they_are_a_day_old_however_many()
    {
        var administrator = await api.RegisterAdministratorAsync();
        api.Clock.Advance(TimeSpan.FromHours(24));
        await CreateAsync(await administrator.SignInAgainAsync(), "key-new", Intents.NewAddress());
        await api.QueryAsync<int>(
            "INSERT INTO idempotency_keys SELECT sha256(n::text::bytea), '', '', $1 FROM generate_series(1, 2500) n",
            api.Clock.GetUtcNow().AddHours(-24));

        await api.Service<ExpiredAnswers>().DeleteAsync(CancellationToken.None);

        (await api.QueryAsync<long>("SELECT count(*) FROM idempotency_keys")).Should().Be(1);
    }

    [Fact]
    public async Task A_key_that_is_too_long_or_empty_is_refused()
    {
        var administrator = await api.RegisterAdministratorAsync();

        foreach (var key in new[] { new string('k', 256), "" })
        {
            (await CreateAsync(administrator, key, Intents.NewAddress()))
                .ShouldBeProblem(HttpStatusCode.BadRequest, "idempotency.key_invalid", "Idempotency-Key");
        }

        (await CreateAsync(administrator, new string('k', 255), Intents.NewAddress())).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_id_from_the_route_makes_another_request()
    {
        (await FingerprintAsync(Guid.NewGuid())).Should().NotEqual(await FingerprintAsync(Guid.NewGuid()));
        (await FingerprintAsync(Guid.Empty)).Should().Equal(await FingerprintAsync(Guid.Empty));

        static Task<byte[]> FingerprintAsync(Guid id) => RequestFingerprint.OfAsync(new ChangeUserRoleCommand(id, Role.Teacher), CancellationToken.None);
    }

    private Task<Answer> CreateAsync(Person administrator, string key, string email, string? password = null) => api.SendAsync(
        HttpMethod.Post,
        "admin/users",
        new { email, full_name = "Created Once", role = "teacher", password },
        administrator.AccessToken,
        ("Idempotency-Key", key));

    private Task<long> AccountsOfAsync(string email) => api.QueryAsync<long>("SELECT count(*) FROM accounts WHERE email = $1", email);
}
