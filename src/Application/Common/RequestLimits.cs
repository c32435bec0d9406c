using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Vtp.Domain.Common;

namespace Vtp.Application.Common;

/// <summary>What a use case declares about its limits.</summary>
public sealed class UseCaseLimits
{
    private UseCaseLimits(Type useCase)
    {
        UseCase = useCase;
        Policies = [.. useCase.GetCustomAttributes<RateLimitedAttribute>().Select(attribute => attribute.Policy)];
        PoliciesAtTheDoor = [.. Policies.Where(policy => ScopeOf(policy) != RateLimitScope.AddressAndTarget)];
        Cost = useCase.GetCustomAttribute<RequestCostAttribute>()?.Cost ?? 1;
        IsOfPeers = Policies.Any(policy => ScopeOf(policy) == RateLimitScope.Peer);
        NeedsTarget = Policies.Any(policy => ScopeOf(policy) == RateLimitScope.AddressAndTarget) || (IsOfPeers && useCase.IsAssignableTo(typeof(IRateLimitTarget)));
        IsCountedByAddress = Policies.Any(policy => ScopeOf(policy) == RateLimitScope.Address);
        Waits = useCase.GetCustomAttributes<RateLimitedAttribute>().Any(attribute => attribute.Waits);
    }

    public Type UseCase { get; }

    public IReadOnlyList<string> Policies { get; }

    /// <summary>Those that depend on nothing that is sent in a body.</summary>
    internal string[] PoliciesAtTheDoor { get; }

    /// <summary>In the budgets of every request.</summary>
    public int Cost { get; }

    /// <summary>Whose budget it is becomes known only when the body has been read.</summary>
    public bool NeedsTarget { get; }

    /// <summary>Has a budget of its own for each address, made for how many people share one.</summary>
    public bool IsCountedByAddress { get; }

    /// <summary>Has a budget for each peer, and takes from no other.</summary>
    public bool IsOfPeers { get; }

    /// <summary>Who comes a little too early waits.</summary>
    public bool Waits { get; }

    public static UseCaseLimits Of(Type useCase) => new(useCase);

    internal static RateLimitScope ScopeOf(string policy) => RateLimitPolicies.Defaults[policy].Scope;
}

/// <summary>
/// What one request takes from which budgets: those of its caller and those of its use case, together, once. The server
/// asks at the door, before anything is read. Where the budget depends on the body, the door only looks, the pipeline takes,
/// and a request that did not get that far is charged to its caller when it ends.
/// </summary>
public sealed class RequestLimits(IRateLimiter limiter, ICaller caller, WaitingLine line)
{
    private static readonly string[] OfUser = [RateLimitPolicies.User];
    private static readonly string[] OfKey = [RateLimitPolicies.Key, RateLimitPolicies.Project];
    private static readonly string[] OfAnonymous = [RateLimitPolicies.Anonymous];

    private UseCaseLimits? _taken;
    private UseCaseLimits? _owed;

    /// <summary>What the limiter said last; null while no policy applies.</summary>
    public RateLimitDecision? Latest { get; private set; }

    /// <summary>At the door.</summary>
    /// <returns>Null when admitted.</returns>
    public async ValueTask<Refusal?> EnterAsync(UseCaseLimits limits, CancellationToken cancellationToken)
    {
        var charges = ChargesAtTheDoor(limits);
        if (limits.NeedsTarget)
        {
            var seen = await limiter.LookAsync(charges, cancellationToken);
            (Latest, _owed) = (seen, seen.IsAdmitted ? limits : null);
        }
        else
        {
            (Latest, _taken) = (await limiter.TakeAsync(charges, cancellationToken), limits);
        }

        return RefusalOf(Latest);
    }

    /// <summary>In the pipeline: whether the door has taken what this use case costs. The first one who asks is told so.</summary>
    public bool HasTaken(UseCaseLimits limits) => caller.IsSystem || (_taken?.UseCase == limits.UseCase && Interlocked.Exchange(ref _taken, null) is not null);

    /// <summary>In the pipeline, of what the door has not taken.</summary>
    /// <returns>Null when admitted.</returns>
    public async ValueTask<Refusal?> TakeAsync(UseCaseLimits limits, string? target, CancellationToken cancellationToken)
    {
        var charges = limits is { IsOfPeers: true, Policies: [var only] } ? [new RateLimitCharge(only, PartitionOf(only, target))]
            : limits.Policies.Select(policy => new RateLimitCharge(policy, PartitionOf(policy, target)));
        if (_owed?.UseCase == limits.UseCase)
        {
            charges = limits.IsOfPeers ? charges : CallersCharges(limits).Concat(charges);
            _owed = null;
        }

        var all = charges as RateLimitCharge[] ?? [.. charges];
        Latest = await limiter.TakeAsync(all, cancellationToken);
        if (limits.Waits && !Latest.IsAdmitted)
        {
            Latest = await line.WaitAsync(Latest, limiter, all, cancellationToken);
        }

        return RefusalOf(Latest);
    }

    /// <summary>At the end: a body that nobody could read was a request too.</summary>
    public async ValueTask SettleAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _owed, null) is { } limits)
        {
            await limiter.TakeAsync(ChargesAtTheDoor(limits), cancellationToken);
        }
    }

    /// <summary>Every budget of this caller that does not depend on what they send, as it stands.</summary>
    public async ValueTask<IReadOnlyList<RateLimitState>> ReadAsync(CancellationToken cancellationToken)
    {
        var isKnown = caller.SignedIn is not null || caller.Key is not null;
        var own = RateLimitPolicies.Defaults
            .Where(policy => !IsCallers(policy.Key) && (policy.Value.Scope == RateLimitScope.Address || (isKnown && policy.Value.Scope == RateLimitScope.Account)))
            .Select(policy => new RateLimitCharge(policy.Key, PartitionOf(policy.Key, target: null)));
        return (await limiter.LookAsync([.. CallersPolicies(isCountedByAddress: false).Select(policy => new RateLimitCharge(policy, PartitionOf(policy, null))), .. own], cancellationToken)).States;
    }

    private static bool IsCallers(string policy) =>
        policy is RateLimitPolicies.Anonymous or RateLimitPolicies.User or RateLimitPolicies.Key or RateLimitPolicies.Project;

    private static Refusal? RefusalOf(RateLimitDecision decision) => decision.IsAdmitted ? null : RateLimitRefusal.Of(decision);

    /// <summary>Of every request, so that it is written out.</summary>
    private RateLimitCharge[] ChargesAtTheDoor(UseCaseLimits limits)
    {
        var callers = limits.IsOfPeers ? [] : CallersPolicies(limits.IsCountedByAddress);
        var charges = new RateLimitCharge[callers.Length + limits.PoliciesAtTheDoor.Length];
        for (var index = 0; index < callers.Length; index++)
        {
            charges[index] = new RateLimitCharge(callers[index], PartitionOf(callers[index], target: null), limits.Cost);
        }

        for (var index = 0; index < limits.PoliciesAtTheDoor.Length; index++)
        {
            var policy = limits.PoliciesAtTheDoor[index];
            charges[callers.Length + index] = new RateLimitCharge(policy, PartitionOf(policy, target: null));
        }

        return charges;
    }

    private IEnumerable<RateLimitCharge> CallersCharges(UseCaseLimits limits) =>
        CallersPolicies(limits.IsCountedByAddress).Select(policy => new RateLimitCharge(policy, PartitionOf(policy, target: null), limits.Cost));

    private string[] CallersPolicies(bool isCountedByAddress) =>
        caller.SignedIn is not null ? OfUser
        : caller.Key is not null ? OfKey
        : isCountedByAddress ? []
        : OfAnonymous;

    private string PartitionOf(string policy, string? target) => UseCaseLimits.ScopeOf(policy) switch
    {
        RateLimitScope.Account when caller.SignedIn is { } signedIn => signedIn.AccountId.ToString(),
        RateLimitScope.Account or RateLimitScope.Key when caller.Key is { } key => key.KeyId.ToString(),
        RateLimitScope.Project when caller.Key is { } key => key.ProjectId.ToString(),
        RateLimitScope.Peer when Credential is { } id => $"{id:N} {target ?? Network(caller.IpAddress)}", // Validated before: no longer than a peer's id may be.
        RateLimitScope.Peer => $"{Network(caller.IpAddress)} {target ?? Network(caller.IpAddress)}",
        RateLimitScope.AddressAndTarget => $"{Network(caller.IpAddress)} {Digest(target)}",
        _ => Network(caller.IpAddress),
    };

    private Guid? Credential => caller.Key?.KeyId ?? caller.Tracker?.Id ?? caller.SignedIn?.AccountId.Value;

    /// <summary>IPv6 gives every subscriber 2^64 addresses; they are one caller.</summary>
    public static string Network(string? address) =>
        address?.Contains(':', StringComparison.Ordinal) == true && IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6
            ? $"{new IPAddress([.. parsed.GetAddressBytes().AsSpan(0, 8), .. new byte[8]])}/64"
            : address ?? "";

    /// <summary>Of a length that no client chooses, and no mail address lies in Redis.</summary>
    private static string Digest(string? target) =>
        target is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(target)).AsSpan(0, 16));
}

/// <summary>Where requests wait that came a little too early: a bounded number of them, for a few seconds at most.</summary>
public sealed class WaitingLine(TimeProvider clock)
{
    private const int MostWaiting = 1000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private int _waiting;

    /// <param name="refused">What the limiter said.</param>
    /// <param name="limiter">Is asked again.</param>
    /// <param name="charges">For these.</param>
    /// <param name="cancellationToken">Of the request.</param>
    /// <returns>What it said in the end.</returns>
    public async ValueTask<RateLimitDecision> WaitAsync(RateLimitDecision refused, IRateLimiter limiter, RateLimitCharge[] charges, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting)
            {
                return refused;
            }

            while (!refused.IsAdmitted && clock.GetElapsedTime(started) + refused.RetryAfter <= Longest)
            {
                await Task.Delay(refused.RetryAfter, clock, cancellationToken);
                refused = await limiter.TakeAsync(charges, cancellationToken);
            }

            return refused;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}

public static class RateLimitRefusal
{
    public const string Code = "rate_limit.exceeded";

    public static Refusal Of(RateLimitDecision decision) =>
        new(RefusalKind.TooMany, Code, "Too many requests. Wait as long as Retry-After says.")
        {
            RetryAfter = decision.RetryAfter,
            ViolatedPolicies = [.. decision.States.Where(state => state.Wait > TimeSpan.Zero).Select(state => state.Policy)],
        };
}
