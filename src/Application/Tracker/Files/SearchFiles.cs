using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Files;

/// <summary>The files whose name holds this text, without regard to case, newest first.</summary>
/// <param name="Q">1 to 255 characters.</param>
/// <param name="Page">From 1.</param>
/// <param name="Limit">1 to 1000; 1000 when absent.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record SearchFilesQuery(string? Q, int? Page, int? Limit, Guid? ProjectId) : IQuery<FoundFiles>, IAboutTracker;

/// <param name="Count">Files on this page.</param>
/// <param name="Total">Files on all pages.</param>
public sealed record FoundFiles(string Query, int Count, IReadOnlyList<FileItem> Files, int Page, int Limit, int Total);

internal sealed class SearchFilesHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<SearchFilesQuery, Result<FoundFiles>>
{
    private const int Longest = 255;

    public Task<Result<FoundFiles>> Handle(SearchFilesQuery request, CancellationToken cancellationToken)
    {
        if (request.Q is not { Length: > 0 and <= Longest } text)
        {
            return Task.FromResult<Result<FoundFiles>>(Refusal.Field("q", "search.text_missing", $"Say what to search for in 'q': 1 to {Longest} characters."));
        }

        var (page, limit) = TrackerRules.Clamp(request.Page, request.Limit);
        var files = swarms.Files(tracker.Current.Project, new FileFilter(text, Category: null), page, limit);
        return Task.FromResult<Result<FoundFiles>>(new FoundFiles(text, files.Items.Count, FileItem.Of(files), page, limit, files.Total));
    }
}
