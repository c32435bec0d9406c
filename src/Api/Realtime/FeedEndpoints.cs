using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Relay;

namespace Vtp.Api.Realtime;

/// <summary>What happens in the swarms, for dashboards.</summary>
internal static class FeedEndpoints
{
    public const string Path = "/ws";

    private static readonly WebSocketAcceptContext Accepting = new()
    {
        // A client that has answered nothing for 60 seconds is gone.
        KeepAliveInterval = TimeSpan.FromSeconds(30),
        KeepAliveTimeout = TimeSpan.FromSeconds(30),
    };

    public static void MapFeed(this WebApplication app)
    {
        app.MapGet(Path, Listen).ExcludeFromDescription().DisableHttpMetrics()
            .WithMetadata(new UseCaseMetadata(typeof(OpenFeedQuery)), UseCaseLimits.Of(typeof(OpenFeedQuery)));
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<TrackerFeed>().Stop);
    }

    private static async Task<IResult> Listen(
        HttpContext context,
        [FromQuery(Name = "project_id")] Guid? projectId,
        SocketDoor door,
        SocketCaller who,
        IMediator mediator,
        ITrackerCaller tracker,
        TrackerFeed feed)
    {
        if (SocketDoor.Check(context) is { } refused)
        {
            return new RefusedHttpResult(refused);
        }

        await who.IdentifyAsync(context, byCookie: true);
        if (!(await mediator.Send(new OpenFeedQuery(projectId), context.RequestAborted)).TryGet(out var seat, out var refusal)
            || !door.Enter(context.Connection.RemoteIpAddress).TryGet(out var place, out refusal))
        {
            return new RefusedHttpResult(refusal);
        }

        using (place)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync(Accepting);
            var client = new FeedClient(seat, socket, context);
            feed.Join(client, IsStillAdmittedAsync);
            try
            {
                await client.RunAsync();
            }
            finally
            {
                feed.Leave(client);
            }
        }

        return Results.Empty;

        async ValueTask<bool> IsStillAdmittedAsync(CancellationToken ct)
        {
            await who.IdentifyAgainAsync(context);
            return (await tracker.FindAsync(projectId, ct)).TryGet(out var found, out _) && found.Project == seat.Project && (found.Credential is not null || !seat.SeesAddresses);
        }
    }
}
