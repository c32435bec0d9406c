using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Administration;
using Vtp.Application.Tracker.Files;
using Vtp.Application.Tracker.Magnets;
using Vtp.Application.Tracker.Peers;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tracker;

/// <summary>The file tracker's routes, where and as its peers in the field expect them: below /api, without a version and without an envelope.</summary>
internal static class TrackerEndpoints
{
    // Ten thousand hashes, as JSON.
    private const int MaximumHeartbeat = 1024 * 1024;

    public static void MapTracker(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api").WithTags("Tracker").NeverStored();
        api.MapPost("/auth/login", LogIn).Runs<LogInPeerCommand>("Get a token for one peer", Status401Unauthorized, Status403Forbidden);

        api.MapPost("/peers/register", Register).Runs<RegisterPeerCommand>("Say that a peer is there", Status503ServiceUnavailable);
        api.MapPost("/peers/heartbeat", Heartbeat).Runs<SendHeartbeatCommand>("Say that a peer lives", Status503ServiceUnavailable)
            .WithMetadata(new RequestSizeLimitAttribute(MaximumHeartbeat));
        api.MapPost("/peers/stats", Report).Runs<ReportTrafficCommand>("Say what a peer gave and took", Status503ServiceUnavailable);
        api.MapGet("/peers/top", ListTop).Runs<ListTopPeersQuery>("List the best peers");
        api.MapDelete("/peers/{peer_id}", Leave).Runs<LeaveSwarmsCommand>("Say that a peer stops", Status503ServiceUnavailable);

        api.MapPost("/files/announce", Announce).Runs<AnnounceFileCommand>(
                "Say that a peer has a file", Status404NotFound, Status408RequestTimeout, Status409Conflict, Status413PayloadTooLarge, Status503ServiceUnavailable)
            .Accepts<AnnounceFileCommand>("application/json").WithMetadata(new RequestSizeLimitAttribute(AnnouncementReader.MaximumBody));
        api.MapGet("/files", ListFiles).Runs<ListFilesQuery>("List files");
        api.MapGet("/files/search", SearchFiles).Runs<SearchFilesQuery>("Search files by name");
        api.MapGet("/files/{hash}/peers", FindPeers).Runs<FindPeersOfFileQuery>("Find who has a file", Status404NotFound);
        api.MapGet("/files/{hash}/magnet", MakeMagnet).Runs<MakeMagnetQuery>("Make a magnet link", Status404NotFound);
        api.MapGet("/magnet", ParseMagnet).Runs<ParseMagnetQuery>("Read a magnet link");
        api.MapGet("/categories", ListCategories).Runs<ListCategoriesQuery>("List categories");
        api.MapGet("/categories/{category}/files", ListFilesOfCategory).Runs<ListFilesOfCategoryQuery>("List the files of a category");

        api.MapGet("/admin/peers", ListPeers).Runs<ListPeersQuery>("List peers");
        api.MapDelete("/admin/peers/{peer_id}", RemovePeer).Runs<RemovePeerCommand>("Put a peer out", Status404NotFound, Status503ServiceUnavailable);
        api.MapDelete("/admin/files/{hash}", RemoveFile).Runs<RemoveFileCommand>("Take a file out", Status404NotFound, Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<PeerLoggedIn>, RefusedHttpResult>> LogIn(
        LogInPeerCommand command, [FromHeader(Name = "X-API-Key")] string? key, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(string.IsNullOrEmpty(command.ApiKey) ? command with { ApiKey = key } : command, ct)).ToHttp();

    private static async Task<Results<Ok<PeerRegistered>, RefusedHttpResult>> Register(RegisterPeerCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<HeartbeatTaken>, RefusedHttpResult>> Heartbeat(SendHeartbeatCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<TrafficReported>, RefusedHttpResult>> Report(ReportTrafficCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<TopPeers>, RefusedHttpResult>> ListTop(
        string? limit, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListTopPeersQuery(limit, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<PeerHasLeft>, RefusedHttpResult>> Leave(
        [FromRoute(Name = "peer_id")] string peerId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new LeaveSwarmsCommand(peerId), ct)).ToHttp();

    private static async Task<Results<Ok<FileAnnounced>, RefusedHttpResult>> Announce(
        HttpContext context, AnnouncementReader reader, ITrackerCaller tracker, IMediator mediator, CancellationToken ct) =>
        (await reader.ReadAsync(context, tracker)).TryGet(out var command, out var refusal)
            ? (await mediator.Send(command, ct)).ToHttp()
            : new RefusedHttpResult(refusal);

    private static async Task<Results<Ok<FileList>, RefusedHttpResult>> ListFiles(
        int? page, int? limit, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListFilesQuery(page, limit, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<FoundFiles>, RefusedHttpResult>> SearchFiles(
        string? q, int? page, int? limit, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new SearchFilesQuery(q, page, limit, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<FilePeers>, ZippedHttpResult<FilePeers>, RefusedHttpResult>> FindPeers(
        string hash, int? limit, [FromQuery(Name = "project_id")] Guid? projectId, HttpRequest request, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new FindPeersOfFileQuery(hash, limit, projectId), ct)).ToZippable(request, peers => peers.Chunks.Utf8.Length + peers.Peers.Utf8.Length);

    private static async Task<Results<Ok<MagnetMade>, ZippedHttpResult<MagnetMade>, RefusedHttpResult>> MakeMagnet(
        string hash, [FromQuery(Name = "project_id")] Guid? projectId, HttpRequest request, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new MakeMagnetQuery(hash, projectId, $"{request.Scheme}://{request.Host}"), ct)).ToZippable(request, made => made.File.Chunks.Utf8.Length);

    private static async Task<Results<Ok<MagnetParsed>, ZippedHttpResult<MagnetParsed>, RefusedHttpResult>> ParseMagnet(
        string? uri, [FromQuery(Name = "project_id")] Guid? projectId, HttpRequest request, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ParseMagnetQuery(uri, projectId), ct)).ToZippable(request, parsed => parsed.File?.Chunks.Utf8.Length ?? 0);

    private static async Task<Results<Ok<CategoryList>, RefusedHttpResult>> ListCategories(
        [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListCategoriesQuery(projectId), ct)).ToHttp();

    private static async Task<Results<Ok<CategoryFiles>, RefusedHttpResult>> ListFilesOfCategory(
        string category, int? page, int? limit, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListFilesOfCategoryQuery(category, page, limit, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<PeerList>, RefusedHttpResult>> ListPeers(
        int? page, int? limit, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListPeersQuery(page, limit, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<PeerRemoved>, RefusedHttpResult>> RemovePeer(
        [FromRoute(Name = "peer_id")] string peerId, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RemovePeerCommand(peerId, projectId), ct)).ToHttp();

    private static async Task<Results<Ok<FileRemoved>, RefusedHttpResult>> RemoveFile(
        string hash, [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RemoveFileCommand(hash, projectId), ct)).ToHttp();
}
