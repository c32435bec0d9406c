using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Files;

/// <summary>The files of one category, newest first; none of one that does not exist.</summary>
/// <param name="Category">In either case.</param>
/// <param name="Page">From 1.</param>
/// <param name="Limit">1 to 1000; 1000 when absent.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListFilesOfCategoryQuery(string Category, int? Page, int? Limit, Guid? ProjectId) : IQuery<CategoryFiles>, IAboutTracker;

/// <param name="Count">Files on this page.</param>
/// <param name="Total">Files on all pages.</param>
public sealed record CategoryFiles(string Category, int Count, IReadOnlyList<FileItem> Files, int Page, int Limit, int Total);

internal sealed class ListFilesOfCategoryHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<ListFilesOfCategoryQuery, Result<CategoryFiles>>
{
    public Task<Result<CategoryFiles>> Handle(ListFilesOfCategoryQuery request, CancellationToken cancellationToken)
    {
        var (page, limit) = TrackerRules.Clamp(request.Page, request.Limit);
        var category = request.Category.ToLowerInvariant();
        var files = swarms.Files(tracker.Current.Project, new FileFilter(Text: null, category), page, limit);
        return Task.FromResult<Result<CategoryFiles>>(new CategoryFiles(category, files.Items.Count, FileItem.Of(files), page, limit, files.Total));
    }
}
