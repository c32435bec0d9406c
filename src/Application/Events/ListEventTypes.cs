using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Events;

namespace Vtp.Application.Events;

/// <summary>Every type of event that this server raises.</summary>
[Requires(Permission.Anyone)]
public sealed record ListEventTypesQuery : IQuery<EventTypes>;

public sealed record EventTypes(IReadOnlyList<EventType> Data);

/// <param name="Type"><c>thing.what_happened</c></param>
/// <param name="Summary">What it says, in one sentence.</param>
public sealed record EventType(string Type, string Summary);

internal sealed class ListEventTypesHandler : IRequestHandler<ListEventTypesQuery, Result<EventTypes>>
{
    public Task<Result<EventTypes>> Handle(ListEventTypesQuery request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<EventTypes>>(new EventTypes([.. EventCatalogue.All.Select(kind => new EventType(kind.Type, kind.Summary))]));
}
