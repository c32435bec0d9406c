using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Rooms.Recordings;
using Vtp.Application.Rooms.Signaling;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Rooms;

internal static class RoomEndpoints
{
    public static void MapRooms(this IEndpointRouteBuilder api)
    {
        var rooms = api.MapGroup("/signalling").WithTags("Live rooms").NeverStored();
        rooms.MapGet("/health", GetHealth).Runs<GetSignalingHealthQuery>("See whether live rooms work");
        rooms.MapGet("/room/stats", GetStats).Runs<GetRoomStatsQuery>("Read one live room and who is in it", Status403Forbidden, Status404NotFound);
        rooms.MapGet("/rooms/stats", ListStats).Runs<ListRoomStatsQuery>("List live rooms and who is in them", Status403Forbidden, Status404NotFound);
        rooms.MapPost("/room/create", Create).Runs<CreateRoomCommand>("Create a live room that stays", Status403Forbidden, Status404NotFound, Status409Conflict);
        rooms.MapDelete("/room/delete", Delete).Runs<DeleteRoomCommand>("Close a live room", Status403Forbidden, Status404NotFound);
        var streaming = api.MapGroup("/streaming").WithTags("Live rooms").NeverStored();
        streaming.MapGet("/rooms/{room_id}/participants", ListParticipants).Runs<ListParticipantsQuery>("List who is in a live room", Status403Forbidden, Status404NotFound);
        streaming.MapPost("/rooms/{room_id}/record", Record)
            .Runs<StartRoomRecordingCommand>("Record a live room", Status403Forbidden, Status404NotFound, Status409Conflict, Status503ServiceUnavailable);
        streaming.MapPost("/sessions/{session_id:guid}/stop-record", StopRecord)
            .Runs<StopRoomRecordingCommand>("Stop recording a live room", Status404NotFound, Status503ServiceUnavailable);
        streaming.MapGet("/sessions/{session_id:guid}", GetRecording).Runs<GetRoomRecordingQuery>("Read what became of a recording", Status404NotFound);
    }

    private static async Task<Results<Ok<SignalingHealth>, RefusedHttpResult>> GetHealth(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetSignalingHealthQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<RoomStats>, RefusedHttpResult>> GetStats(
        [FromQuery(Name = "room_id")] string? roomId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetRoomStatsQuery(roomId, orgId), ct)).ToHttp();

    private static async Task<Results<Ok<RoomStatsList>, RefusedHttpResult>> ListStats([FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListRoomStatsQuery(orgId), ct)).ToHttp();

    private static async Task<Results<Created<RoomChanged>, RefusedHttpResult>> Create(CreateRoomCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToCreated(created => $"/api/v1/signalling/room/stats?room_id={Uri.EscapeDataString(created.RoomId)}");

    private static async Task<Results<Ok<RoomChanged>, RefusedHttpResult>> Delete(
        [FromQuery(Name = "room_id")] string? roomId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteRoomCommand(roomId, orgId), ct)).ToHttp();

    private static async Task<Results<Ok<ParticipantView[]>, RefusedHttpResult>> ListParticipants(
        [FromRoute(Name = "room_id")] string roomId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListParticipantsQuery(Decoded(roomId), orgId), ct)).ToHttp();

    private static async Task<Results<Ok<RecordingSession>, RefusedHttpResult>> Record(
        [FromRoute(Name = "room_id")] string roomId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new StartRoomRecordingCommand(Decoded(roomId), orgId), ct)).ToHttp();

    private static async Task<Results<Ok<RecordingSession>, RefusedHttpResult>> StopRecord(
        [FromRoute(Name = "session_id")] Guid sessionId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new StopRoomRecordingCommand(sessionId, orgId), ct)).ToHttp();

    private static async Task<Results<Ok<RecordingDetails>, RefusedHttpResult>> GetRecording(
        [FromRoute(Name = "session_id")] Guid sessionId, [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetRoomRecordingQuery(sessionId, orgId), ct)).ToHttp();

    // The slash alone stays encoded in a path.
    private static string Decoded(string roomId) => roomId.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
