using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Events;

/// <summary>One event: for receivers of thin webhooks, which are told its id and type.</summary>
[Requires(Permission.ViewOrganization)]
[OpenToKeys(KeyScopes.EventsRead)]
public sealed record GetEventQuery(Guid Id) : IQuery<EventView>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => null;
}

internal sealed class GetEventHandler(IEventLog log) : IRequestHandler<GetEventQuery, Result<EventView>>
{
    public async Task<Result<EventView>> Handle(GetEventQuery request, CancellationToken cancellationToken) =>
        await log.FindAsync(request.Id, cancellationToken) is { } found ? found.Event : EventRefusals.NotFound;
}
