using System.Reflection;
using Vtp.Domain.Common;

namespace Vtp.Application.Common;

/// <summary>
/// A command that may be put off: <see cref="IVtpDb.Enqueue"/> writes it down with the change that asks for it, and any node
/// runs it later, as the system, in the organization and project that it was enqueued in. It runs at least once: a node may
/// die after the work and before that is noted, so what it does must bear being done twice.
/// </summary>
/// <param name="kind">The name in the database, <c>area.what_to_do</c>. Renaming it orphans the jobs that wait.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class JobAttribute(string kind) : Attribute
{
    public string Kind { get; } = kind;

    /// <summary>Runs until it is a dead letter, the first one included.</summary>
    public int MaxAttempts { get; init; } = 12;

    /// <summary>Seconds until the second run; each later wait is twice as long, and up to a quarter longer by chance.</summary>
    public int FirstRetrySeconds { get; init; } = 5;

    /// <summary>Seconds that no wait exceeds, but for the quarter.</summary>
    public int LongestRetrySeconds { get; init; } = 3600;

    /// <summary>How many run at once on one node; 0 for as many as the node runs.</summary>
    public int PerNode { get; init; }

    /// <summary>
    /// For a kind that mostly waits on the network: so many places on each node for it alone, beside those that other kinds
    /// share. 0 for a share of those.
    /// </summary>
    public int OwnPlaces { get; init; }

    /// <summary>
    /// How many of one organization run at once on all nodes together; 0 for no limit. A kind that takes longer than a second
    /// should have one: a job that runs cannot make way for another organization's.
    /// </summary>
    public int PerTenant { get; init; }

    /// <summary>Seconds after which a node that says nothing has lost the job, 3 to 45. A node that lives renews in time.</summary>
    public int LeaseSeconds { get; init; } = 30;
}

/// <summary>A kind of job that this version knows.</summary>
public sealed record JobKind(Type Command, JobAttribute Policy)
{
    public string Name => Policy.Kind;

    /// <returns>Null for a command that is no job.</returns>
    public static JobKind? Of(Type command)
    {
        if (command.GetCustomAttribute<JobAttribute>() is not { } policy)
        {
            return null;
        }

        var isRight = command.IsAssignableTo(typeof(ICommand<Done>))
            && policy is { MaxAttempts: >= 1, FirstRetrySeconds: >= 1, PerNode: >= 0, OwnPlaces: >= 0 and <= 1000, PerTenant: >= 0, LeaseSeconds: >= 3 and <= 45 }
            && policy.LongestRetrySeconds >= policy.FirstRetrySeconds
            && (policy.PerNode == 0 || policy.OwnPlaces == 0);
        return isRight ? new JobKind(command, policy) : throw new InvalidOperationException($"{command.Name} is no right job: see {nameof(JobAttribute)}.");
    }
}
