using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Events;
using Vtp.Domain.Common;

namespace Vtp.Api.Endpoints.Events;

internal static class EventEndpoints
{
    public static void MapEvents(this IEndpointRouteBuilder api)
    {
        var events = api.MapGroup("/events").WithTags("Events");
        events.MapGet("", List).Runs<ListEventsQuery>("Read what happened, and wait for more", StatusCodes.Status410Gone);
        events.MapGet("/types", ListTypes).Runs<ListEventTypesQuery>("List the types of events");
        events.MapGet("/{event_id:guid}", Get).Runs<GetEventQuery>("Read one event", StatusCodes.Status404NotFound);
    }

    /// <param name="wait">Seconds, 0 to 30, that an answer may wait for the next event when there is none yet; 0 when absent.</param>
    private static async Task<Results<Ok<EventList>, RefusedHttpResult>> List(
        [FromQuery(Name = "org_id")] Guid? orgId,
        [FromQuery(Name = "project_id")] Guid? projectId,
        string? after,
        string? types,
        int? limit,
        int? wait,
        LongPoll poll,
        IMediator mediator,
        HttpContext context,
        CancellationToken ct)
    {
        var query = new ListEventsQuery(orgId, projectId, after, types, limit);
        Result<EventList> answer = null!;
        await poll.UntilAsync(
            wait,
            async () => !(answer = await mediator.Send(query, ct)).TryGet(out var list, out _) || list.Data.Count > 0 || list.HasMore,
            context);
        return answer.ToHttp();
    }

    private static async Task<Results<Ok<EventTypes>, RefusedHttpResult>> ListTypes(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListEventTypesQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<EventView>, RefusedHttpResult>> Get(
        [FromRoute(Name = "event_id")] Guid eventId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetEventQuery(eventId), ct)).ToHttp();
}
