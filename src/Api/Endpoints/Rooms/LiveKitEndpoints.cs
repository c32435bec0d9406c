using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Rooms.LiveKit;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Rooms;

internal static class LiveKitEndpoints
{
    // An event that ends an egress names all its files.
    private const int MaximumBytes = 256 * 1024;

    private static readonly string[] ContentTypes = ["application/webhook+json", "application/json"];

    public static void MapLiveKit(this IEndpointRouteBuilder api) =>
        api.MapPost("/webhooks/livekit", Receive).WithTags("LiveKit")
            .Runs<ReceiveLiveKitEventCommand>("Receive an event of LiveKit", Status401Unauthorized, Status404NotFound, Status413PayloadTooLarge, Status415UnsupportedMediaType)
            .TakesEvents();

    /// <summary>Where the control plane that VTP replaces was told by LiveKit.</summary>
    public static void MapLegacyLiveKit(this IEndpointRouteBuilder app) =>
        app.MapPost("/webhooks/livekit", Receive).ExcludeFromDescription()
            .WithMetadata(new UseCaseMetadata(typeof(ReceiveLiveKitEventCommand)), UseCaseLimits.Of(typeof(ReceiveLiveKitEventCommand)))
            .TakesEvents();

    private static RouteHandlerBuilder TakesEvents(this RouteHandlerBuilder endpoint) =>
        endpoint.Accepts<Stream>(ContentTypes[0], ContentTypes[1..]).WithMetadata(new RequestSizeLimitAttribute(MaximumBytes));

    private static async Task<Results<Ok<LiveKitEventReceived>, RefusedHttpResult>> Receive(
        [FromHeader(Name = "Authorization")] string? authorization, Stream body, IMediator mediator, CancellationToken ct)
    {
        using var received = new MemoryStream();
        await body.CopyToAsync(received, ct);
        return (await mediator.Send(new ReceiveLiveKitEventCommand(authorization, received.ToArray()), ct)).ToHttp();
    }
}
