using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Api.Realtime.Dashboard;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Api.Realtime.Feeds;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Api.Realtime;

internal static class RealtimeEndpoints
{
    private const string Path = "/socket.io";

    public static void AddSocketIo(this IServiceCollection services)
    {
        services.AddSingleton<EngineServer>();
        services.AddHostedService(provider => provider.GetRequiredService<EngineServer>());
        services.AddSingleton<EngineEndpoint>();
        services.AddSingleton<SocketServices>();
        services.AddHostedService<SocketSweep>();
        services.AddSharedNamespace("/");
        services.AddSingleton<SocketNamespace, EventsNamespace>();
        services.AddSingleton<DashboardSockets>();
        services.AddSingleton<SocketNamespace, DashboardNamespace>();
        services.AddSingleton<SocketFeature, DashboardFeature>();
        services.AddSingleton<DashboardStreamList>();
        services.AddHostedService(provider => provider.GetRequiredService<DashboardStreamList>());
    }

    /// <summary>Served to the features that name it.</summary>
    public static void AddSharedNamespace(this IServiceCollection services, string name) =>
        services.AddSingleton<SocketNamespace>(provider => new SharedNamespace(name, provider.GetServices<SocketFeature>()));

    /// <summary>WebSockets are taken at this address alone. Which site a browser comes from is asked before anything is believed.</summary>
    public static void UseSocketIo(this WebApplication app) => app.UseWhen(
        context => context.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase),
        sockets => sockets
            .Use((context, next) =>
            {
                if (!Cors.AllowsOrigin(context))
                {
                    return EngineEndpoint.ForbidAsync(context);
                }

                RawStreams.Keep(context.Features);
                return next(context);
            })
            .UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero })); // Engine.IO has pings of its own.

    public static void MapSocketIo(this WebApplication app)
    {
        var services = app.Services.GetRequiredService<SocketServices>();
        app.Map(Path, (HttpContext context, EngineEndpoint endpoint) => endpoint.HandleAsync(context, IdentifyAsync, services.Serve))
            .OpenToAll("A connection is nobody's; each namespace asks for a credential.")
            .ExcludeFromDescription();
    }

    public static void MapRealtimeTickets(this IEndpointRouteBuilder api) =>
        api.MapGroup("/realtime").WithTags("Realtime").NeverStored()
            .MapPost("/tickets", IssueTicket).Runs<IssueRealtimeTicketCommand>("Get a ticket that stands for your credential in an address, once");

    private static async Task<Results<Ok<RealtimeTicket>, RefusedHttpResult>> IssueTicket(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new IssueRealtimeTicketCommand(), ct)).ToHttp();

    /// <summary>By headers, where a client can send some; else by a ticket in the address, which this uses up.</summary>
    public static async Task<EngineHandshake> IdentifyAsync(HttpContext context)
    {
        var credentials = context.RequestServices.GetRequiredService<IConnectionCredentials>();
        var (address, headers) = (HttpCaller.AddressOf(context), context.Request.Headers);
        var result = SentCredential.Of(headers) switch
        {
            { Key: { } key } => Of(await credentials.FromKeyAsync(key, address, context.RequestAborted)),
            { Token: { IsEmpty: false } token } => OfPerson(await credentials.FromTokenAsync(token.ToString(), context.RequestAborted)),
            _ when context.Request.Query["ticket"] is [{ Length: > 0 } ticket] => Of(await credentials.FromTicketAsync(ticket, address, context.RequestAborted)),
            _ when context.Request.Query["token"] is [{ Length: > 0 } token] && context.RequestServices.GetRequiredService<RealtimeOptions>().TokenInUrl =>
                OfPerson(await credentials.FromTokenAsync(token, context.RequestAborted)),
            _ => default,
        };
        return new EngineHandshake(address, HttpCaller.UserAgentOf(context), result.Identity, result.Rejected, context.Request.Query.ContainsKey("roomId"));

        static (Connected? Identity, Refusal? Rejected) Of(Result<Connected> result) =>
            result.Match<(Connected?, Refusal?)>(connected => (connected, null), refusal => (null, refusal));

        static (Connected? Identity, Refusal? Rejected) OfPerson(Connected? person) => (person, person is null ? Refusal.Unauthenticated : null);
    }
}
