using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Domain.Operations;

/// <summary>A number of one node that has left its bounds, from then until it is back. It is the installation's, no organization's.</summary>
public sealed class SystemAlert : Aggregate
{
    /// <summary>After one has ended, its rule is silent on its node for so long: a number at its bound would cry all the time.</summary>
    public static readonly TimeSpan Cooldown = TimeSpan.FromMinutes(5);

    /// <summary>A node that has said nothing of its alert for so long is gone, and the alert with it.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromMinutes(2);

    private SystemAlert(Guid id, string rule, string node, double threshold, DateTimeOffset raisedAt) =>
        (Id, Rule, Node, Threshold, RaisedAt) = (id, rule, node, threshold, raisedAt);

    public Guid Id { get; private set; }

    /// <summary>A name of <see cref="AlertRule.All"/>.</summary>
    public string Rule { get; private set; }

    public string Node { get; private set; }

    public double Threshold { get; private set; }

    /// <summary>The worst since it was raised.</summary>
    public double Value { get; private set; }

    public DateTimeOffset RaisedAt { get; private set; }

    /// <summary>When its node last found that it still holds.</summary>
    public DateTimeOffset CheckedAt { get; private set; }

    public DateTimeOffset? ResolvedAt { get; private set; }

    public static SystemAlert Raise(AlertRule rule, string node, double value, double threshold, DateTimeOffset now)
    {
        var alert = new SystemAlert(Uuid.NewVersion7(now), rule.Name, node, threshold, now) { Value = value, CheckedAt = now };
        alert.Raise(new SystemAlertRaised(alert.Id, rule.Name, node, value, threshold));
        return alert;
    }

    public override EventSource Source() => new(OrganizationId.Installation, Project: null, Id.ToString());

    public void Worsen(AlertRule rule, double value, DateTimeOffset now) =>
        (Value, CheckedAt) = (rule.IsWorse(value, Value) ? value : Value, now);

    public void Resolve(DateTimeOffset now)
    {
        ResolvedAt = now;
        Raise(new SystemAlertResolved(Id, Rule, Node, now));
    }
}

/// <param name="Name">As it stands in alerts, in their events and in the settings.</param>
/// <param name="Threshold">Unless the settings say another.</param>
/// <param name="IsLeast">The number must not fall below its threshold; all others must not exceed it.</param>
/// <param name="Says">What it is that left its bounds.</param>
public sealed record AlertRule(string Name, double Threshold, bool IsLeast, string Says)
{
    public static readonly AlertRule ResponseTime = new("response_time_p95_ms", 1000, IsLeast: false, "Of the last requests, one in twenty took longer");
    public static readonly AlertRule ErrorRate = new("error_rate", 0.05, IsLeast: false, "Share of requests of five minutes that this server failed");
    public static readonly AlertRule CacheHitRate = new("cache_hit_rate", 0.8, IsLeast: true, "Share of reads that the cache answered");
    public static readonly AlertRule Connections = new("connections", 5000, IsLeast: false, "Connections that clients hold open");
    public static readonly AlertRule Pool = new("pool_usage", 0.9, IsLeast: false, "Share of a pool's connections to the database that are in use");
    public static readonly AlertRule Memory = new("memory_load", 0.9, IsLeast: false, "Share of the memory there is that is in use");
    public static readonly AlertRule Heap = new("heap_mb", 500, IsLeast: false, "Mebibytes that live on the managed heap");
    public static readonly AlertRule Threads = new("threads", 1000, IsLeast: false, "Threads of the pool");

    public static readonly IReadOnlyList<AlertRule> All = [ResponseTime, ErrorRate, CacheHitRate, Connections, Pool, Memory, Heap, Threads];

    public bool IsBroken(double value, double threshold) => IsLeast ? value < threshold : value > threshold;

    public bool IsWorse(double value, double than) => IsLeast ? value < than : value > than;
}

[Event("system.alert_raised", "A number of a node has left its bounds.")]
public sealed record SystemAlertRaised(Guid Id, string Rule, string Node, double Value, double Threshold);

[Event("system.alert_resolved", "It is back within them, or its node is gone.")]
public sealed record SystemAlertResolved(Guid Id, string Rule, string Node, DateTimeOffset ResolvedAt);
