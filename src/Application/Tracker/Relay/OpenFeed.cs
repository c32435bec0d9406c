using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tracker.Relay;

/// <summary>Decides which project's events a connection may hear, and how much of them.</summary>
/// <param name="ProjectId">For people; keys and tokens have one.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record OpenFeedQuery(Guid? ProjectId) : IQuery<FeedSeat>, IAboutTracker;

/// <param name="SeesAddresses">Who has shown nothing is not told where peers are.</param>
public sealed record FeedSeat(ProjectId Project, bool SeesAddresses);

internal sealed class OpenFeedHandler(ITrackerCaller tracker) : IRequestHandler<OpenFeedQuery, Result<FeedSeat>>
{
    public Task<Result<FeedSeat>> Handle(OpenFeedQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<FeedSeat>>(new FeedSeat(tracker.Current.Project, SeesAddresses: tracker.Current.Credential is not null));
}
