using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Tracker.Files;

/// <summary>The categories that have files, by name; a file's ending decides where it belongs.</summary>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ListCategoriesQuery(Guid? ProjectId) : IQuery<CategoryList>, IAboutTracker;

public sealed record CategoryList(int Count, IReadOnlyList<CategoryView> Categories);

internal sealed class ListCategoriesHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<ListCategoriesQuery, Result<CategoryList>>
{
    public Task<Result<CategoryList>> Handle(ListCategoriesQuery request, CancellationToken cancellationToken)
    {
        var categories = swarms.Categories(tracker.Current.Project);
        return Task.FromResult<Result<CategoryList>>(new CategoryList(categories.Count, categories));
    }
}
