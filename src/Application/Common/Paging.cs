using Microsoft.EntityFrameworkCore;

namespace Vtp.Application.Common;

/// <param name="Page">From 1.</param>
/// <param name="Limit">Rows on a page, 1 to 100.</param>
/// <param name="Total">Rows on all pages.</param>
public sealed record Pagination(int Page, int Limit, int Total, int TotalPages);

/// <summary>One page of a list.</summary>
public sealed record Page<T>(IReadOnlyList<T> Data, Pagination Pagination);

/// <summary>A stretch of a log that only grows, newest first.</summary>
/// <param name="NextCursor">Send it as <c>cursor</c> for the next stretch; null at the end.</param>
public sealed record CursorPage<T>(IReadOnlyList<T> Data, string? NextCursor);

public static class Paging
{
    public const int DefaultLimit = 20;
    public const int MaximumLimit = 100;

    // Beyond this an offset is not a page that anybody reads, only work.
    private const int MaximumPage = 1_000_000;

    public static int ClampLimit(int? limit) => Math.Clamp(limit ?? DefaultLimit, 1, MaximumLimit);

    /// <summary>The page that is answered, whatever was asked for.</summary>
    public static (int Page, int Limit) Clamp(int? page, int? limit) => (Math.Clamp(page ?? 1, 1, MaximumPage), ClampLimit(limit));

    public static async Task<Page<T>> ToPageAsync<T>(
        this IQueryable<T> query, int? page, int? limit, CancellationToken cancellationToken)
    {
        var (number, size) = Clamp(page, limit);
        var total = await query.CountAsync(cancellationToken);
        var data = await query.Skip((number - 1) * size).Take(size).ToListAsync(cancellationToken);
        return new Page<T>(data, new Pagination(number, size, total, (total + size - 1) / size));
    }
}
