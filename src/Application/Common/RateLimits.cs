namespace Vtp.Application.Common;

/// <summary>What one budget is counted for.</summary>
public enum RateLimitScope
{
    /// <summary>The caller's IP address; of IPv6 its /64.</summary>
    Address,

    /// <summary>The account; of a program its API key; of callers who have shown neither their IP address.</summary>
    Account,

    /// <summary>The API key.</summary>
    Key,

    /// <summary>The project, however many keys it has.</summary>
    Project,

    /// <summary>
    /// The IP address together with what is guessed at (<see cref="IRateLimitTarget"/>): a class behind one address is
    /// not one caller, and a stranger cannot use up somebody else's budget.
    /// </summary>
    AddressAndTarget,

    /// <summary>
    /// The credential, of callers without one the IP address, together with the peer that is named
    /// (<see cref="IRateLimitTarget"/>) or, where none is, the IP address: peers behind one address, or with one key, do not
    /// use up each other's budget. In place of those of every request.
    /// </summary>
    Peer,
}

/// <param name="Limit">Requests per <paramref name="Period"/>, evenly spread.</param>
/// <param name="Burst">Requests that may come at once beyond the even pace.</param>
public sealed record RateLimitPolicy(int Limit, TimeSpan Period, int Burst, RateLimitScope Scope);

/// <summary>Every budget of the server with its default. Configuration overrides: <c>RateLimits__sign-in__Limit=10</c>.</summary>
public static class RateLimitPolicies
{
    // Of every request, by who sends it.
    public const string Anonymous = "api";
    public const string User = "user";
    public const string Key = "key";
    public const string Project = "project";

    // Of single routes, in addition; in place of "api" where they are counted by address.
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
    public const string Upload = "upload";
    public const string LiveKit = "livekit";
    public const string DashboardBroadcast = "dashboard-broadcast";

    /// <summary>Of connections that begin, which run no use case.</summary>
    public const string Socket = "socket";

    /// <summary>What a participant of a live room says to the others and to the media server; long messages count for several.</summary>
    public const string Signaling = "signaling";
    public const string SignalingChat = "signaling-chat";
    public const string SignalingJoin = "signaling-join";

    public const string TrackerRegister = "tracker-register";
    public const string TrackerAnnounce = "tracker-announce";
    public const string TrackerHeartbeat = "tracker-heartbeat";
    public const string Tracker = "tracker";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static readonly IReadOnlyDictionary<string, RateLimitPolicy> Defaults =
        new Dictionary<string, RateLimitPolicy>(StringComparer.Ordinal)
        {
            [Anonymous] = new(100, Minute, 20, RateLimitScope.Address),
            [User] = new(600, Minute, 100, RateLimitScope.Account),
            [Key] = new(600, Minute, 100, RateLimitScope.Key),
            [Project] = new(1000, Minute, 200, RateLimitScope.Project),
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
            [Upload] = new(10, Minute, 2, RateLimitScope.Account),
            [LiveKit] = new(6000, Minute, 1000, RateLimitScope.Address),
            [DashboardBroadcast] = new(60, Minute, 20, RateLimitScope.Account),
            [Socket] = new(6000, Minute, 3000, RateLimitScope.Address),
            [Signaling] = new(1200, Minute, 1200, RateLimitScope.Account),
            [SignalingChat] = new(60, Minute, 20, RateLimitScope.Account),
            [SignalingJoin] = new(60, Minute, 30, RateLimitScope.Account),
            [TrackerRegister] = new(10, Second, 20, RateLimitScope.Peer),
            [TrackerAnnounce] = new(50, Second, 100, RateLimitScope.Peer),
            [TrackerHeartbeat] = new(100, Second, 200, RateLimitScope.Peer),
            [Tracker] = new(100, Second, 200, RateLimitScope.Peer),
        };
}

/// <param name="Policy">A name of <see cref="RateLimitPolicies"/>.</param>
/// <param name="Partition">Whose budget of that policy.</param>
/// <param name="Cost">How many requests this one counts for; a budget smaller than that is spent whole.</param>
public readonly record struct RateLimitCharge(string Policy, string Partition, int Cost = 1);

/// <summary>One budget, as a request left or found it.</summary>
/// <param name="Remaining">Requests that would be admitted at once.</param>
/// <param name="UntilMore">When there will be more than that; zero when the budget is whole.</param>
/// <param name="Wait">Zero unless it refuses.</param>
public readonly record struct RateLimitState(string Policy, int Remaining, TimeSpan UntilMore, TimeSpan Wait);

public sealed class RateLimitDecision
{
    public RateLimitDecision(IReadOnlyList<RateLimitState> states)
    {
        States = states;
        for (var index = 0; index < states.Count; index++)
        {
            RetryAfter = states[index].Wait > RetryAfter ? states[index].Wait : RetryAfter;
        }
    }

    /// <summary>Of every budget that was asked, in that order.</summary>
    public IReadOnlyList<RateLimitState> States { get; }

    /// <summary>Zero when admitted; else wait exactly this long and, if nobody else comes, be admitted.</summary>
    public TimeSpan RetryAfter { get; }

    public bool IsAdmitted => RetryAfter == TimeSpan.Zero;
}

/// <summary>Counts requests against named policies.</summary>
public interface IRateLimiter
{
    /// <summary>As configured.</summary>
    RateLimitPolicy PolicyOf(string name);

    /// <summary>Takes from every budget, or from none when one of them refuses.</summary>
    ValueTask<RateLimitDecision> TakeAsync(RateLimitCharge[] charges, CancellationToken cancellationToken);

    /// <summary>What <see cref="TakeAsync"/> would say, taking nothing.</summary>
    ValueTask<RateLimitDecision> LookAsync(RateLimitCharge[] charges, CancellationToken cancellationToken);
}
