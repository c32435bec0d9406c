namespace Vtp.Application.Common;

/// <summary>What one budget is counted for.</summary>
public enum RateLimitScope
{
    /// <summary>The caller's IP address.</summary>
    Address,

    /// <summary>The account; the IP address of callers who have not signed in.</summary>
    Account,

    /// <summary>
    /// The IP address together with what is guessed at (<see cref="IRateLimitTarget"/>): a class behind one address is
    /// not one caller, and a stranger cannot use up somebody else's budget.
    /// </summary>
    AddressAndTarget,
}

/// <param name="Limit">Requests per <paramref name="Period"/>, evenly spread.</param>
/// <param name="Burst">Requests that may come at once beyond the even pace.</param>
public sealed record RateLimitPolicy(int Limit, TimeSpan Period, int Burst, RateLimitScope Scope);

/// <summary>Every budget of the server with its default. Configuration overrides: <c>RateLimits__sign-in__Limit=10</c>.</summary>
public static class RateLimitPolicies
{
    public const string Register = "register";
    public const string SignIn = "sign-in";
    public const string SignInAddress = "sign-in-address";
    public const string TwoFactor = "two-factor";
    public const string Mail = "mail";
    public const string MailAddress = "mail-address";
    public const string OneTimeSecret = "one-time-secret";
    public const string Refresh = "refresh";
    public const string Password = "password";
    public const string InvitationResend = "invitation-resend";
    public const string WebhookTest = "webhook-test";
    public const string WebhookReplay = "webhook-replay";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static readonly IReadOnlyDictionary<string, RateLimitPolicy> Defaults =
        new Dictionary<string, RateLimitPolicy>(StringComparer.Ordinal)
        {
            [Register] = new(30, Minute, 30, RateLimitScope.Address),
            [SignIn] = new(5, Minute, 3, RateLimitScope.AddressAndTarget),
            [SignInAddress] = new(60, Minute, 60, RateLimitScope.Address),
            [TwoFactor] = new(15, Minute, 30, RateLimitScope.Account),
            [Mail] = new(3, Hour, 3, RateLimitScope.AddressAndTarget),
            [MailAddress] = new(60, Hour, 30, RateLimitScope.Address),
            [OneTimeSecret] = new(30, Minute, 30, RateLimitScope.Address),
            [Refresh] = new(300, Minute, 300, RateLimitScope.Address),
            [InvitationResend] = new(3, Hour, 3, RateLimitScope.AddressAndTarget),
            [WebhookTest] = new(30, Minute, 10, RateLimitScope.Account),
            [WebhookReplay] = new(60, Hour, 10, RateLimitScope.Account),
            [Password] = new(5, Minute, 5, RateLimitScope.Account),
        };
}

/// <param name="RetryAfter">Zero when admitted; else wait exactly this long and be admitted.</param>
public readonly record struct RateLimitDecision(bool Admitted, TimeSpan RetryAfter);

/// <summary>Counts requests against named policies.</summary>
public interface IRateLimiter
{
    ValueTask<RateLimitDecision> AcquireAsync(string policy, string partition, CancellationToken cancellationToken);

    RateLimitScope ScopeOf(string policy);
}
