using System.Collections.Concurrent;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Integration.Jobs;

[Job("test.note", MaxAttempts = 3, FirstRetrySeconds = 10, LongestRetrySeconds = 15)]
[Requires(Permission.Anyone)]
public sealed record NoteCommand(string Name) : ICommand<Done>;

[Job("test.two_per_node", PerNode = 2)]
[Requires(Permission.Anyone)]
public sealed record TwoPerNodeCommand(string Name) : ICommand<Done>;

[Job("test.two_per_tenant", PerTenant = 2)]
[Requires(Permission.Anyone)]
public sealed record TwoPerTenantCommand(string Name) : ICommand<Done>;

[Job("test.own_places", OwnPlaces = 3)]
[Requires(Permission.Anyone)]
public sealed record OwnPlacesCommand(string Name) : ICommand<Done>;

[Job("test.short_lease", MaxAttempts = 100, FirstRetrySeconds = 1, LongestRetrySeconds = 1, LeaseSeconds = 3)]
[Requires(Permission.Anyone)]
public sealed record ShortLeaseCommand(string Name) : ICommand<Done>;

[Job("test.counted")]
[Requires(Permission.Anyone)]
public sealed record CountedCommand(string Name) : ICommand<Done>;

/// <param name="Attempts">Of this name, this one included.</param>
public sealed record Run(string Name, int Attempts, bool IsSystem, string? TraceId, TenantScope Tenant, object Node);

/// <summary>What the jobs of a test do, and what they have done. Nodes may share one.</summary>
public sealed class Runs
{
    private readonly ConcurrentDictionary<string, int> _attempts = new(StringComparer.Ordinal);
    private int _now;
    private int _most;

    public ConcurrentQueue<Run> Begun { get; } = new();

    public ConcurrentQueue<Run> Ended { get; } = new();

    /// <summary>How many ran at once.</summary>
    public int Most => Volatile.Read(ref _most);

    public Func<Run, CancellationToken, Task> Work { get; set; } = (_, _) => Task.CompletedTask;

    public int CountOf(string name) => Ended.Count(run => run.Name == name);

    internal async Task<Result<Done>> RunAsync(string name, ICaller caller, TenantScope tenant, Node node, CancellationToken cancellationToken)
    {
        var run = new Run(name, _attempts.AddOrUpdate(name, 1, (_, attempts) => attempts + 1), caller.IsSystem, caller.TraceId, tenant, node);
        var now = Interlocked.Increment(ref _now);
        for (var most = Most; now > most; most = Most)
        {
            Interlocked.CompareExchange(ref _most, now, most);
        }

        try
        {
            Begun.Enqueue(run);
            await Work(run, cancellationToken);
            Ended.Enqueue(run);
            return Done.Value;
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }
}

/// <summary>Tells servers in one process apart.</summary>
internal sealed class Node;

internal sealed class TestJobsHandler(Runs runs, ICaller caller, TenantScope tenant, Node node) :
    IRequestHandler<NoteCommand, Result<Done>>,
    IRequestHandler<TwoPerNodeCommand, Result<Done>>,
    IRequestHandler<TwoPerTenantCommand, Result<Done>>,
    IRequestHandler<OwnPlacesCommand, Result<Done>>,
    IRequestHandler<ShortLeaseCommand, Result<Done>>,
    IRequestHandler<CountedCommand, Result<Done>>
{
    public Task<Result<Done>> Handle(NoteCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    public Task<Result<Done>> Handle(TwoPerNodeCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    public Task<Result<Done>> Handle(TwoPerTenantCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    public Task<Result<Done>> Handle(OwnPlacesCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    public Task<Result<Done>> Handle(ShortLeaseCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    public Task<Result<Done>> Handle(CountedCommand request, CancellationToken cancellationToken) => RunAsync(request.Name, cancellationToken);

    private Task<Result<Done>> RunAsync(string name, CancellationToken cancellationToken) => runs.RunAsync(name, caller, tenant, node, cancellationToken);
}
