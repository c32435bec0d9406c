using System.Globalization;
using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Http;

public sealed class DoorTests(DoorApi api) : IClassFixture<DoorApi>
{
    // 100 a minute, of which 20 may come at once beyond the pace.
    private const int AnonymousAtOnce = 21;

    [Fact]
    public async Task Every_answer_tells_what_is_left_and_who_waits_as_long_as_told_is_heard()
    {
        var address = DoorApi.NewAddress();
        for (var left = AnonymousAtOnce - 1; left >= 0; left--)
        {
            var answer = await FromAsync(address);
            answer.Status.Should().Be(HttpStatusCode.Unauthorized);
            var told = ToldLimit.Of(answer).Should().ContainSingle().Subject;
            told.Should().Match<ToldLimit>(limit => limit.Policy == "api" && limit.Quota == 100 && limit.WindowSeconds == 60);
            told.Remaining.Should().BeInRange(left, left + 10, "of what time gives back meanwhile");
        }

        await api.RefusedAsync(address, "api");
        var refused = await api.RefusedAsync(address, "api");
        var wait = refused.Headers.RetryAfter!.Delta!.Value;
        ToldLimit.Of(refused).Should().ContainSingle().Which.Should().BeEquivalentTo(
            new ToldLimit("api", 100, 60, 0, (int)wait.TotalSeconds));

        api.Clock.Advance(wait);
        (await FromAsync(address)).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Who_has_signed_in_does_not_share_a_budget_with_the_others_behind_their_address()
    {
        var address = DoorApi.NewAddress();
        var person = await api.RegisterAsync();
        await api.ExhaustAsync(address);

        var answer = await FromAsync(address, person.AccessToken);

        answer.Status.Should().Be(HttpStatusCode.OK);
        ToldLimit.Of(answer).Should().ContainSingle().Which.Should().Match<ToldLimit>(limit => limit.Policy == "user" && limit.Quota == 600 && limit.Remaining == 100);
        await api.ExhaustAsync(address); // Time gave something back.
        (await FromAsync(address, person.AccessToken + "x")).Status.Should().Be(HttpStatusCode.TooManyRequests, "a token that is not good is nobody's");
    }

    [Fact]
    public async Task A_key_has_a_budget_of_its_own_within_that_of_its_project()
    {
        var project = await (await api.FoundSchoolAsync()).CreateProjectAsync();

        var first = await api.SendAsync(HttpMethod.Get, project.Path, null, null, ("X-API-Key", project.Secret));
        var second = await api.SendAsync(HttpMethod.Get, project.Path, null, null, ("X-API-Key", project.Key), ("X-Pulse-Secret", project.Secret));

        first.Status.Should().Be(HttpStatusCode.OK, first.Text);
        ToldLimit.Of(first).Select(limit => (limit.Policy, limit.Quota, limit.Remaining)).Should().Equal(("key", 600, 100), ("project", 1000, 200));
        ToldLimit.Of(second).Select(limit => limit.Policy).Should().Equal("key", "project");
    }

    [Fact]
    public async Task Bodies_that_nobody_can_read_are_counted_and_then_refused_unread()
    {
        var address = DoorApi.NewAddress();
        for (var request = 0; request < 61; request++)
        {
            var answer = await PostAsync(address, "{");
            answer.ShouldBeProblem(HttpStatusCode.BadRequest, "request.malformed_json");
            ToldLimit.Of(answer).Should().ContainSingle().Which.Policy.Should().Be("sign-in-address");
        }

        await VtpApi.UntilAsync(async () => (await PostAsync(address, "{")).Status == HttpStatusCode.TooManyRequests, "the budget to be spent");
    }

    [Fact]
    public async Task Whoever_guesses_is_told_of_both_budgets_and_a_refusal_takes_from_neither()
    {
        var (address, email) = (DoorApi.NewAddress(), Intents.NewAddress());
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            ToldLimit.Of(await PostAsync(address, Guess(email))).Select(limit => (limit.Policy, limit.Quota, limit.WindowSeconds))
                .Should().Equal(("sign-in-address", 60, 60), ("sign-in", 5, 60));
        }

        var refused = await PostAsync(address, Guess(email));
        refused.ShouldBeProblem(HttpStatusCode.TooManyRequests, "rate_limit.exceeded");
        refused.Body.GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).Should().Equal("sign-in");
        ToldLimit.Of(refused)[0].Remaining.Should().BeInRange(57, 61);
        ToldLimit.Of(refused)[1].Remaining.Should().Be(0);

        var wait = refused.Headers.RetryAfter!.Delta!.Value;
        wait.Should().BePositive().And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(12));
        api.Clock.Advance(wait);
        (await PostAsync(address, Guess(email))).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Whoever_asks_is_shown_their_own_limits_with_what_remains()
    {
        var person = await api.RegisterAsync();
        await person.GetAsync("auth/profile");

        var own = await person.GetAsync("limits");
        var strangers = await FromAsync(DoorApi.NewAddress(), path: "limits");

        var user = own.Body.GetProperty("data").EnumerateArray().First();
        user.GetProperty("policy").GetString().Should().Be("user");
        user.GetProperty("counted_by").GetString().Should().Be("account");
        (user.GetProperty("limit").GetInt32(), user.GetProperty("period_seconds").GetDouble(), user.GetProperty("burst").GetInt32()).Should().Be((600, 60, 100));
        user.GetProperty("remaining").GetInt32().Should().BeGreaterThanOrEqualTo(ToldLimit.Of(own).Single().Remaining, "it was read after that, and they grow").And.BeInRange(98, 101);
        Policies(own).Should().Contain(["upload", "webhook-test", "register", "refresh"]).And.NotContain("api");
        Policies(strangers).Should().StartWith("api").And.Contain("register").And.NotContain("upload");
    }

    [Fact]
    public async Task Probes_are_never_refused()
    {
        var address = DoorApi.NewAddress();
        await api.ExhaustAsync(address);

        var answer = await FromAsync(address, path: "/health/live");

        answer.Status.Should().Be(HttpStatusCode.OK);
        ToldLimit.Of(answer).Should().BeEmpty();
    }

    [Fact]
    public async Task A_network_of_ipv6_is_one_caller_and_its_neighbour_another()
    {
        var network = $"2001:db8:0:{Random.Shared.Next(1, 0x7fff).ToString("x", CultureInfo.InvariantCulture)}";
        for (var host = 1; host <= AnonymousAtOnce; host++)
        {
            (await FromAsync($"{network}:{host:x}::1")).Status.Should().Be(HttpStatusCode.Unauthorized);
        }

        await VtpApi.UntilAsync(async () => (await FromAsync($"{network}:ffff::9")).Status == HttpStatusCode.TooManyRequests, "the network to be refused");
        (await FromAsync("2001:db8:1:8000::1")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Of_a_chain_of_addresses_only_those_that_trusted_proxies_wrote_are_believed()
    {
        // The proxy appends whom it heard; whatever stands left of that its client wrote.
        var address = DoorApi.NewAddress();
        await api.ExhaustAsync(address);
        (await FromAsync($"{DoorApi.NewAddress()}, {address}")).Status.Should().Be(HttpStatusCode.TooManyRequests);

        await api.ExhaustAsync(address);
        (await FromAsync($"{address}, 127.0.0.1")).Status.Should().Be(HttpStatusCode.TooManyRequests);

        await api.ExhaustAsync(address);
        (await FromAsync($"{address}:1234")).Status.Should().Be(HttpStatusCode.TooManyRequests, "a port is no other caller");
    }

    private static List<string?> Policies(Answer limits) =>
        [.. limits.Body.GetProperty("data").EnumerateArray().Select(limit => limit.GetProperty("policy").GetString())];

    private static string Guess(string email) => JsonSerializer.Serialize(new { email, password = "not this one" });

    private Task<Answer> PostAsync(string address, string body) =>
        api.SendAsync(HttpMethod.Post, "auth/login", body, null, ("X-Forwarded-For", address));

    private Task<Answer> FromAsync(string address, string? token = null, string path = "auth/profile") => api.FromAsync(address, token, path);
}

/// <summary>Nobody is believed about where others come from.</summary>
public sealed class DirectApi : VtpApi
{
    protected override bool WithoutLimits => false;
}

public sealed class ForgedAddressTests(DirectApi api) : IClassFixture<DirectApi>
{
    [Fact]
    public async Task Without_a_trusted_proxy_nobody_is_somebody_else_by_saying_so() =>
        await VtpApi.UntilAsync(
            async () => (await api.FromAsync(DoorApi.NewAddress())).Status == HttpStatusCode.TooManyRequests, "the one address to be refused");
}

internal static class DoorIntents
{
    public static Task<Answer> FromAsync(this VtpApi api, string address, string? token = null, string path = "auth/profile") =>
        api.SendAsync(HttpMethod.Get, path, null, token, ("X-Forwarded-For", address));

    /// <summary>Until nothing is left of what an address has.</summary>
    public static Task ExhaustAsync(this VtpApi api, string address) =>
        VtpApi.UntilAsync(async () => (await api.FromAsync(address)).Status == HttpStatusCode.TooManyRequests, "the budget to be spent");

    public static async Task<Answer> RefusedAsync(this VtpApi api, string address, params string[] policies)
    {
        Answer? refused = null;
        await VtpApi.UntilAsync(async () => (refused = await api.FromAsync(address)).Status == HttpStatusCode.TooManyRequests, "a refusal");
        refused!.ShouldBeProblem(HttpStatusCode.TooManyRequests, "rate_limit.exceeded");
        refused!.Body.GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).Should().Equal(policies);
        return refused!;
    }
}
