using System.Globalization;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.SecurityEvents;

/// <summary>What happened to the security of the caller's account, newest first.</summary>
/// <param name="Cursor">From the answer before.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.SignedIn)]
public sealed record ListSecurityEventsQuery(string? Cursor, int? Limit) : IQuery<CursorPage<SecurityEventView>>;

public sealed record SecurityEventView(Guid Id, SecurityEventType Type, string? IpAddress, string? UserAgent, DateTimeOffset CreatedAt);

internal sealed class ListSecurityEventsHandler(IVtpDb db, ICaller caller)
    : IRequestHandler<ListSecurityEventsQuery, Result<CursorPage<SecurityEventView>>>
{
    private static readonly Refusal CursorInvalid =
        Refusal.Field("cursor", "request.cursor_invalid", "This cursor did not come from this list.");

    public async Task<Result<CursorPage<SecurityEventView>>> Handle(ListSecurityEventsQuery request, CancellationToken cancellationToken)
    {
        var accountId = caller.Required().AccountId;
        var limit = Paging.ClampLimit(request.Limit);
        var events = db.SecurityEvents.AsNoTracking().Where(entry => entry.AccountId == accountId);
        if (request.Cursor is { } cursor)
        {
            if (!Guid.TryParseExact(cursor, "N", out var before))
            {
                return CursorInvalid;
            }

            events = events.Where(entry => entry.Id.CompareTo(before) < 0);
        }

        var page = await events
            .OrderByDescending(entry => entry.Id)
            .Take(limit + 1)
            .Select(entry => new SecurityEventView(entry.Id, entry.Type, entry.IpAddress, entry.UserAgent, entry.CreatedAt))
            .ToListAsync(cancellationToken);
        return page.Count <= limit
            ? new CursorPage<SecurityEventView>(page, null)
            : new CursorPage<SecurityEventView>(page[..limit], page[limit - 1].Id.ToString("N", CultureInfo.InvariantCulture));
    }
}
