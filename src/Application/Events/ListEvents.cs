using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Events;

/// <summary>
/// What happened in the caller's organizations, oldest first; of a key, in its own project. Each event comes once to whoever
/// goes on with the cursor, those included that were committed late.
/// </summary>
/// <param name="OrgId">One organization; all of the caller's when absent.</param>
/// <param name="ProjectId">One project.</param>
/// <param name="After">The <c>next_cursor</c> of the answer before, or the id of the event that was seen last; the oldest event that is kept when absent.</param>
/// <param name="Types">Types or their beginnings, separated by commas: <c>project.created,member.*</c>. All when absent.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewOrganization)]
[OpenToKeys(KeyScopes.EventsRead)]
public sealed record ListEventsQuery(Guid? OrgId, Guid? ProjectId, string? After, string? Types, int? Limit) : IQuery<EventList>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="NextCursor">Send it as <c>after</c>; it is there at the end too, where more will come.</param>
/// <param name="HasMore">Whether asking again at once brings more.</param>
public sealed record EventList(IReadOnlyList<EventView> Data, string NextCursor, bool HasMore);

internal sealed class ListEventsValidator : AbstractValidator<ListEventsQuery>
{
    private const int MaximumTypes = 50;

    public ListEventsValidator() =>
        RuleFor(query => query.Types)
            .Must(types => Split(types) is not { } patterns || (patterns.Length <= MaximumTypes && Array.TrueForAll(patterns, EventCatalogue.IsPattern)))
            .WithMessage($"At most {MaximumTypes} of {string.Join(", ", EventCatalogue.All.Select(kind => kind.Type))}, or beginnings of them like project.*.");

    internal static string[]? Split(string? types) =>
        string.IsNullOrWhiteSpace(types) ? null : types.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}

internal sealed class ListEventsHandler(IEventLog log) : IRequestHandler<ListEventsQuery, Result<EventList>>
{
    public async Task<Result<EventList>> Handle(ListEventsQuery request, CancellationToken cancellationToken)
    {
        var after = 0L;
        if (!string.IsNullOrEmpty(request.After) && !EventCursor.TryRead(request.After, out after))
        {
            if (!Guid.TryParseExact(request.After, "D", out var id) || await log.FindAsync(id, cancellationToken) is not { } seen)
            {
                return EventRefusals.CursorInvalid;
            }

            after = seen.Position;
        }

        var patterns = ListEventsValidator.Split(request.Types);
        string[]? types = patterns is null ? null : [.. EventCatalogue.All.Select(kind => kind.Type).Where(type => patterns.Any(pattern => EventCatalogue.Matches(pattern, type)))];
        var stretch = await log.ReadAsync(after, types, request.ProjectId, Paging.ClampLimit(request.Limit), cancellationToken);
        return after > 0 && after < stretch.Dropped
            ? EventRefusals.CursorExpired
            : new EventList(stretch.Events, EventCursor.At(stretch.Through), stretch.IsMore);
    }
}

/// <summary>A position in the log.</summary>
internal static class EventCursor
{
    public static string At(long position)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, position);
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryRead(string text, out long position)
    {
        position = 0;
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        if (text.Length != Base64Url.GetEncodedLength(sizeof(long)) || !Ascii.IsValid(text) || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, bytes, out var length) || length != sizeof(long))
        {
            return false;
        }

        position = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return position >= 0;
    }
}

public static class EventRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "event.not_found", "There is no such event, or it is not kept any more.");

    public static readonly Refusal CursorInvalid =
        Refusal.Field("after", "request.cursor_invalid", "This is neither a cursor of this list nor the id of an event in it.");

    public static readonly Refusal CursorExpired =
        new(RefusalKind.Gone, "event.cursor_expired", "Events behind this cursor are not kept any more. Begin again without it.");
}
