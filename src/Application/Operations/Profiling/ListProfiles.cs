using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Profiling;

/// <summary>Which profiles there are.</summary>
[Requires(Permission.Operate)]
public sealed record ListProfilesQuery : IQuery<ProfileList>;

/// <param name="LongestSeconds">For which one can be taken.</param>
public sealed record ProfileList(IReadOnlyList<ProfileOffer> Data, int LongestSeconds);

/// <param name="Formats">The usual one first.</param>
public sealed record ProfileOffer(ProfileKind Kind, string Path, string About, IReadOnlyList<ProfileFormat> Formats);

internal sealed class ListProfilesHandler : IRequestHandler<ListProfilesQuery, Result<ProfileList>>
{
    private static readonly ProfileList All = new(
        [
            Offer(ProfileKind.Cpu, "profile", "Which methods run."),
            Offer(ProfileKind.Heap, "heap", "What lives on the managed heap, by type. Everything stands still while it is counted."),
            Offer(ProfileKind.Threads, "threads", "Every managed thread and where it is."),
            Offer(ProfileKind.Contention, "contention", "Where threads wait for locks, and for how long."),
            Offer(ProfileKind.Allocations, "allocs", "What is allocated and where: one object of each 100 KB."),
            Offer(ProfileKind.Trace, "trace", "All that the runtime says of itself, with CPU samples."),
        ],
        ProfileRules.LongestSeconds);

    public Task<Result<ProfileList>> Handle(ListProfilesQuery request, CancellationToken cancellationToken) => Task.FromResult<Result<ProfileList>>(All);

    private static ProfileOffer Offer(ProfileKind kind, string path, string about) => new(kind, $"/debug/pprof/{path}", about, ProfileRules.FormatsOf(kind));
}
