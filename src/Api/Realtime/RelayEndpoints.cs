using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Tracker.Relay;
using Vtp.Infrastructure.Relay;

namespace Vtp.Api.Realtime;

/// <summary>The tunnel between peers that cannot reach each other.</summary>
internal static class RelayEndpoints
{
    private static readonly WebSocketAcceptContext Accepting = new()
    {
        // Together the 120 seconds after which peers of the field take a silent link for dead.
        KeepAliveInterval = TimeSpan.FromSeconds(30),
        KeepAliveTimeout = TimeSpan.FromSeconds(90),
    };

    public static void AddTrackerSockets(this IServiceCollection services)
    {
        services.AddSingleton<SocketDoor>();
        services.AddScoped<SocketCaller>();
        services.AddSingleton<TrackerFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<TrackerFeed>());
    }

    public static void MapRelay(this WebApplication app)
    {
        // A socket's time is its peer's business, and no latency of ours.
        app.MapGet("/relay", Join).ExcludeFromDescription().DisableHttpMetrics()
            .WithMetadata(new UseCaseMetadata(typeof(JoinRelayQuery)), UseCaseLimits.Of(typeof(JoinRelayQuery)));
        app.MapGet("/api/relay/peers", List).WithTags("Tracker").Runs<ListRelayPeersQuery>("List the peers that are connected to the relay");

        var hub = app.Services.GetRequiredService<RelayHub>();
        app.Lifetime.ApplicationStopping.Register(hub.Stop);
    }

    private static async Task<IResult> Join(
        HttpContext context,
        [FromQuery(Name = "peer_id")] string? peerId,
        SocketDoor door,
        SocketCaller who,
        IMediator mediator,
        RelayHub hub,
        RelayAdmission admission)
    {
        if (SocketDoor.Check(context) is { } refused)
        {
            return new RefusedHttpResult(refused);
        }

        await who.IdentifyAsync(context, byCookie: false);
        if (!(await mediator.Send(new JoinRelayQuery(peerId), context.RequestAborted)).TryGet(out var seat, out var refusal)
            || !door.Enter(context.Connection.RemoteIpAddress).TryGet(out var place, out refusal))
        {
            return new RefusedHttpResult(refusal);
        }

        using (place)
        {
            if (!hub.Join(seat, AdmitAgainAsync).TryGet(out var link, out refusal))
            {
                return new RefusedHttpResult(refusal);
            }

            try
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync(Accepting);
                await new RelaySocket(socket, link, context).RunAsync();
            }
            finally
            {
                link.Drop();
            }
        }

        return Results.Empty;

        async ValueTask<RelaySeat?> AdmitAgainAsync(RelaySeat current, CancellationToken ct)
        {
            await who.IdentifyAgainAsync(context);
            return await admission.AdmitAgainAsync(current, who.IsKeyless, ct);
        }
    }

    private static async Task<Results<Ok<RelayPeers>, RefusedHttpResult>> List(
        [FromQuery(Name = "project_id")] Guid? projectId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListRelayPeersQuery(projectId), ct)).ToHttp();
}
