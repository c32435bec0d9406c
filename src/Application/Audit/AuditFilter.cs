using System.Globalization;
using System.Runtime.InteropServices;
using FluentValidation;
using Vtp.Domain.Audit;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

/// <summary>What the list and the export of the trail can be narrowed by, as the client wrote it.</summary>
public interface IAuditFilter
{
    string? UserEmail { get; }

    string? Action { get; }

    string? Resource { get; }

    Guid? ResourceId { get; }

    AuditOutcome? Status { get; }

    ActorType? ActorType { get; }

    string? StartDate { get; }

    string? EndDate { get; }
}

/// <summary>The same, understood.</summary>
/// <param name="Actor">Part of an actor's name.</param>
/// <param name="Actions">Null for all; empty where an action and a resource contradict each other.</param>
/// <param name="From">The first moment.</param>
/// <param name="Before">The first moment that is too late.</param>
public sealed record AuditFilter(
    string? Actor, IReadOnlyList<string>? Actions, Guid? Target, AuditOutcome? Outcome, ActorType? ActorType, DateTimeOffset? From, DateTimeOffset? Before)
{
    public static readonly AuditFilter None = new(null, null, null, null, null, null, null);

    public static AuditFilter Of(IAuditFilter filter)
    {
        var actions = string.IsNullOrEmpty(filter.Resource) ? null : AuditActions.On(filter.Resource);
        if (!string.IsNullOrEmpty(filter.Action))
        {
            actions = actions is null || actions.Contains(filter.Action, StringComparer.Ordinal) ? [filter.Action] : [];
        }

        return new AuditFilter(
            string.IsNullOrWhiteSpace(filter.UserEmail) ? null : filter.UserEmail.Trim(),
            actions,
            filter.ResourceId,
            filter.Status,
            filter.ActorType,
            AuditDate.Parse(filter.StartDate)?.From,
            AuditDate.Parse(filter.EndDate)?.Before);
    }

    /// <summary>The filters that were used, under the names that the client knows.</summary>
    public static IReadOnlyDictionary<string, string> Named(IAuditFilter filter)
    {
        (string Name, string? Value)[] all =
        [
            ("user_email", filter.UserEmail?.Trim()),
            ("action", filter.Action),
            ("resource", filter.Resource),
            ("resource_id", filter.ResourceId?.ToString()),
            ("status", filter.Status is { } outcome ? AuditWords.Status(outcome) : null),
            ("actor_type", filter.ActorType is { } type ? AuditWords.Stored(type) : null),
            ("start_date", filter.StartDate),
            ("end_date", filter.EndDate),
        ];
        return all.Where(one => !string.IsNullOrEmpty(one.Value)).ToDictionary(one => one.Name, one => one.Value!, StringComparer.Ordinal);
    }
}

/// <summary>Words that stand in the table, or in what is hashed.</summary>
public static class AuditWords
{
    /// <summary>As the contract and the hashed form of an entry say it.</summary>
    public static string Status(AuditOutcome outcome) => outcome == AuditOutcome.Succeeded ? "Success" : "Failed";

    public static string Stored(AuditOutcome outcome) => outcome == AuditOutcome.Succeeded ? "succeeded" : "refused";

    public static string Stored(ActorType type) => type switch
    {
        ActorType.User => "user",
        ActorType.Key => "key",
        ActorType.System => "system",
        _ => "anonymous",
    };
}

/// <summary>A day in UTC, or a moment: what it means as the beginning and as the end of a stretch.</summary>
/// <param name="Before">The first moment after it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AuditDate(DateTimeOffset From, DateTimeOffset Before)
{
    // RFC 3339, section 5.6. A space for the T is what it allows people to write; a plus in a query must be %2B.
    private static readonly string[] Moments = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK"];

    public static AuditDate? Parse(string? text)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            var from = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero);
            return new AuditDate(from, day == DateOnly.MaxValue ? DateTimeOffset.MaxValue : from.AddDays(1));
        }

        // An offset is demanded: a time without one means another moment for everybody.
        var hasOffset = text is not null && (text.EndsWith('Z') || text.EndsWith('z') || text.LastIndexOfAny(['+', '-']) > 10);
        if (hasOffset && DateTimeOffset.TryParseExact(text!.ToUpperInvariant(), Moments, CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment))
        {
            // PostgreSQL keeps microseconds; the end is meant with the moment itself.
            var utc = moment.ToUniversalTime();
            return new AuditDate(utc, utc > DateTimeOffset.MaxValue.AddTicks(-10) ? DateTimeOffset.MaxValue : utc.AddTicks(TimeSpan.TicksPerMicrosecond));
        }

        return null;
    }
}

/// <summary>One sentence for each filter that cannot be right.</summary>
internal abstract class AuditFilterValidator<T> : AbstractValidator<T>
    where T : IAuditFilter
{
    private const string DateForm = "Write a date like 2026-11-21 or a moment like 2026-11-21T09:30:00Z.";
    private const int MaximumEmail = 100;

    private static readonly string[] Resources = [.. AuditActions.All.Select(action => action.Resource).Distinct(StringComparer.Ordinal)];

    protected AuditFilterValidator()
    {
        RuleFor(filter => filter.UserEmail).MaximumLength(MaximumEmail).WithMessage($"Search for at most {MaximumEmail} characters.");
        RuleFor(filter => filter.Action)
            .Must(name => string.IsNullOrEmpty(name) || AuditActions.All.Any(action => action.Name == name))
            .WithMessage($"The actions are {string.Join(", ", AuditActions.All.Select(action => action.Name))}.");
        RuleFor(filter => filter.Resource)
            .Must(name => string.IsNullOrEmpty(name) || Resources.Contains(name, StringComparer.Ordinal))
            .WithMessage($"The resources are {string.Join(", ", Resources)}.");
        RuleFor(filter => filter.StartDate).Must(IsDate).WithMessage(DateForm);
        RuleFor(filter => filter.EndDate).Must(IsDate).WithMessage(DateForm);
        RuleFor(filter => filter.StartDate)
            .Must((filter, start) => AuditDate.Parse(start) is not { } from || AuditDate.Parse(filter.EndDate) is not { } end || from.From < end.Before)
            .WithMessage("start_date lies after end_date.");
    }

    private static bool IsDate(string? text) => string.IsNullOrEmpty(text) || AuditDate.Parse(text) is not null;
}

internal static class AuditOrganizations
{
    public static OrganizationId? Of(Guid? id) => id is { } known ? new(known) : null;
}
