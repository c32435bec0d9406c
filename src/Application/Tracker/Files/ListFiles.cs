using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Files;

/// <summary>The files that the project's swarms know, newest first.</summary>
/// <param name="Page">From 1.</param>
/// <param name="Limit">1 to 1000; 1000 when absent.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListFilesQuery(int? Page, int? Limit, Guid? ProjectId) : IQuery<FileList>, IAboutTracker;

/// <param name="Total">Files on all pages.</param>
public sealed record FileList(IReadOnlyList<FileItem> Files, int Page, int Limit, int Total);

internal sealed class ListFilesHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<ListFilesQuery, Result<FileList>>
{
    public Task<Result<FileList>> Handle(ListFilesQuery request, CancellationToken cancellationToken)
    {
        var (page, limit) = TrackerRules.Clamp(request.Page, request.Limit);
        var files = swarms.Files(tracker.Current.Project, default, page, limit);
        return Task.FromResult<Result<FileList>>(new FileList(FileItem.Of(files), page, limit, files.Total));
    }
}
