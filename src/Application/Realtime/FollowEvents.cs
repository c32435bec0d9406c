using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Events;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Realtime;

/// <summary>
/// Which topics a caller follows who wants to be told what happens, as <c>GET /events</c> lists it: the same events, the same
/// ids.
/// </summary>
/// <param name="OrgId">One organization; all of the caller's when absent.</param>
/// <param name="ProjectId">One project.</param>
/// <param name="Types">Types or their beginnings: <c>project.created</c>, <c>member.*</c>. All when absent.</param>
/// <param name="After">The id of the event that was seen last, or a cursor of <c>GET /events</c>: what came behind it is told first. What happens from now on when absent.</param>
[Requires(Permission.ViewOrganization)]
[OpenToKeys(KeyScopes.EventsRead)]
public sealed record FollowEventsQuery(Guid? OrgId, Guid? ProjectId, IReadOnlyList<string>? Types, string? After) : IQuery<EventTopics>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => OrgId is { } id ? new(id) : null;
}

/// <param name="Topics">Each with the organization that it belongs to.</param>
/// <param name="After">In the log of events; null for what happens from now on.</param>
public sealed record EventTopics(IReadOnlyDictionary<string, Guid> Topics, IReadOnlyList<string>? Names, LogPosition? After);

internal sealed class FollowEventsValidator : AbstractValidator<FollowEventsQuery>
{
    private const int MaximumTypes = 50;

    public FollowEventsValidator() =>
        RuleFor(query => query.Types)
            .Must(types => types is null || (types.Count is >= 1 and <= MaximumTypes && types.All(type => type is { Length: <= 100 } && EventCatalogue.IsPattern(type))))
            .WithMessage($"At most {MaximumTypes} types of events, or beginnings of them like project.*; GET /events/types lists them.");
}

internal sealed class FollowEventsHandler(IVtpDb db, IEventLog log, ITopics topics, TenantScope scope) : IRequestHandler<FollowEventsQuery, Result<EventTopics>>
{
    public async Task<Result<EventTopics>> Handle(FollowEventsQuery request, CancellationToken cancellationToken)
    {
        var project = request.ProjectId is { } asked ? new ProjectId(asked) : scope.Project;
        var found = project is null ? [] : await db.Projects.Where(one => one.Id == project).Select(one => one.OrganizationId).ToListAsync(cancellationToken);
        if (project is not null && (found.Count == 0 || (scope.Project is { } own && own != project)))
        {
            return ProjectRefusals.NotFound;
        }

        LogPosition? after = null;
        if (!string.IsNullOrEmpty(request.After))
        {
            if (!EventCursor.TryRead(request.After, out var position))
            {
                if (!Guid.TryParseExact(request.After, "D", out var id) || await log.FindAsync(id, cancellationToken) is not { } seen)
                {
                    return EventRefusals.CursorInvalid;
                }

                position = seen.Position;
            }

            after = await topics.PlaceOfAsync(position, cancellationToken);
        }

        var followed = project is { } one
            ? new Dictionary<string, Guid>(StringComparer.Ordinal) { [TopicNames.OfProject(one.Value)] = found[0].Value }
            : scope.Organizations.ToDictionary(organization => TopicNames.OfOrganization(organization.Value), organization => organization.Value, StringComparer.Ordinal);
        return new EventTopics(followed, request.Types, after);
    }
}
