using System.Net;
using Vtp.Application.Common;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>A server with budgets for signing in that a test can use up: one for each target, one for the address.</summary>
public sealed class LimitedApi : VtpApi
{
    public const int PerTarget = 3;
    public const int PerAddress = 10;

    protected override bool WithoutLimits => false;

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new($"RateLimits:{RateLimitPolicies.SignIn}:Limit", "2"),
        new($"RateLimits:{RateLimitPolicies.SignIn}:Burst", $"{PerTarget - 1}"),
        new($"RateLimits:{RateLimitPolicies.SignInAddress}:Limit", "2"),
        new($"RateLimits:{RateLimitPolicies.SignInAddress}:Burst", $"{PerAddress - 1}"),
    ];
}

public sealed class RateLimitTests(LimitedApi api) : IClassFixture<LimitedApi>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Who_waits_as_long_as_retry_after_says_is_heard_and_who_waits_less_is_not()
    {
        var person = await FreshAsync();
        for (var attempt = 0; attempt < LimitedApi.PerTarget; attempt++)
        {
            (await api.SignInAsync(person.Email, "not this one")).Status.Should().Be(HttpStatusCode.Unauthorized);
        }

        var wait = await RefusedAsync(person.Email);
        api.Clock.Advance(wait / 2);
        var rest = await RefusedAsync(person.Email);
        rest.Should().BeLessThan(wait, "a refusal costs nothing");

        api.Clock.Advance(rest);
        (await api.SignInAsync(person.Email, person.Password)).Status.Should().Be(HttpStatusCode.OK);
        await RefusedAsync(person.Email);
    }

    [Fact]
    public async Task Guesses_at_one_account_leave_the_others_alone_until_the_address_itself_has_had_enough()
    {
        await FreshAsync();
        var guessed = Intents.NewAddress();
        for (var attempt = 0; attempt < LimitedApi.PerTarget; attempt++)
        {
            await api.SignInAsync(guessed, "not this one");
        }

        await RefusedAsync(guessed.ToUpperInvariant());

        // The refused one took nothing from the address either.
        for (var attempt = LimitedApi.PerTarget; attempt < LimitedApi.PerAddress; attempt++)
        {
            (await api.SignInAsync(Intents.NewAddress(), "not this one")).Status.Should().Be(HttpStatusCode.Unauthorized);
        }

        await RefusedAsync(Intents.NewAddress());
        (await api.GetAsync("auth/profile")).ShouldBeProblem(HttpStatusCode.Unauthorized, "auth.required");
    }

    /// <summary>With every budget whole again.</summary>
    private async Task<Person> FreshAsync()
    {
        api.Clock.Advance(Hour);
        return await api.RegisterAsync();
    }

    private async Task<TimeSpan> RefusedAsync(string email)
    {
        var answer = await api.SignInAsync(email, "not this one");
        answer.ShouldBeProblem(HttpStatusCode.TooManyRequests, "rate_limit.exceeded");
        return answer.Headers.RetryAfter!.Delta!.Value;
    }
}
