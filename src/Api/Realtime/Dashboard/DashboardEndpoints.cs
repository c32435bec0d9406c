using System.IO.Compression;
using MediatR;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Vtp.Api.Console.Operators;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Common;
using Vtp.Domain.Realtime;
using Vtp.Infrastructure.Realtime;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>The live dashboard, where its older clients look for it: without a version, and in their words.</summary>
internal static class DashboardEndpoints
{
    public const string Stream = "/api/dashboard/realtime/sse";

    private const int RecentActivity = 20;
    private const int RecentUpdates = 10;
    private const string ContentType = "text/event-stream";

    private static readonly string[] Encodings = ["br", "gzip"];

    private static readonly Refusal OtherOrigin =
        new(RefusalKind.Forbidden, "socket.origin_refused", "Pages of this site may not connect; Cors:Origins names those that may.");

    public static void MapLiveDashboard(this IEndpointRouteBuilder app)
    {
        // Without an end there is nothing that a document of operations could describe; docs/dashboard.md does.
        app.MapGet(Stream, Listen).ExcludeFromDescription().DisableHttpMetrics()
            .WithMetadata(new UseCaseMetadata(typeof(OpenDashboardQuery)), UseCaseLimits.Of(typeof(OpenDashboardQuery)));

        var dashboard = app.MapGroup("/api/dashboard/realtime").WithTags("Dashboard").NeverStored();
        dashboard.MapGet("/websocket-info", GetConnection).Runs<GetDashboardConnectionQuery>("Learn where Socket.IO tells a dashboard");
        dashboard.MapGet("/metrics", GetMetrics).Runs<GetDashboardMetricsQuery>("See the numbers of a dashboard");
        dashboard.MapGet("/alerts", ListAlerts).Runs<ListDashboardAlertsQuery>("List the alerts of a dashboard");
        dashboard.MapGet("/status", GetStatus).Runs<GetDashboardStatusQuery>("See how the live part of the server does");
        dashboard.MapPost("/sse/pong", Answer).Runs<AnswerStreamPingCommand>("Answer the ping of a stream");
        dashboard.MapPost("/sse/filters", SetFilters).Runs<SetStreamFiltersCommand>("Narrow a stream");
        dashboard.MapPost("/broadcast/analytics", BroadcastAnalytics).Runs<BroadcastAnalyticsCommand>("Send numbers to everybody who watches", Status503ServiceUnavailable);
        dashboard.MapPost("/broadcast/user-activity", BroadcastUserActivity)
            .Runs<BroadcastUserActivityCommand>("Tell everybody who watches what somebody did", Status503ServiceUnavailable);
        dashboard.MapPost("/broadcast/system-alert", BroadcastSystemAlert).Runs<BroadcastSystemAlertCommand>("Alert everybody who watches", Status404NotFound);
        dashboard.MapPost("/test", SendTest).Runs<SendTestMessageCommand>("Send a test to everybody who watches", Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<DashboardConnectionAnswer>, RefusedHttpResult>> GetConnection(
        [FromQuery(Name = "org_id")] Guid? orgId, HttpRequest request, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetDashboardConnectionQuery(orgId, request.Host.Value!), ct)).ToHttp();

    private static async Task<Results<Ok<DashboardMetricsAnswer>, RefusedHttpResult>> GetMetrics(
        [FromQuery(Name = "org_id")] Guid? orgId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetDashboardMetricsQuery(orgId), ct)).ToHttp();

    private static async Task<Results<Ok<DashboardAlerts>, RefusedHttpResult>> ListAlerts(
        [FromQuery(Name = "org_id")] Guid? orgId, Word<AlertLevel>? level, Guid? cursor, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListDashboardAlertsQuery(orgId, level?.Value, cursor, limit), ct)).ToHttp();

    private static async Task<Results<Ok<DashboardStatusAnswer>, RefusedHttpResult>> GetStatus(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetDashboardStatusQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<StreamPingAnswered>, RefusedHttpResult>> Answer(AnswerStreamPingCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<StreamFiltersSet>, RefusedHttpResult>> SetFilters(SetStreamFiltersCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<AnalyticsBroadcast>, RefusedHttpResult>> BroadcastAnalytics(
        BroadcastAnalyticsCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<UserActivityBroadcast>, RefusedHttpResult>> BroadcastUserActivity(
        BroadcastUserActivityCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<SystemAlertBroadcast>, RefusedHttpResult>> BroadcastSystemAlert(
        BroadcastSystemAlertCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<TestMessageSent>, RefusedHttpResult>> SendTest(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new SendTestMessageCommand(), ct)).ToHttp();

    private static async Task<IResult> Listen(
        [FromQuery(Name = "org_id")] Guid? orgId,
        string? filters,
        [FromQuery(Name = "last_event_id")] string? lastEventId,
        HttpContext context,
        IMediator mediator,
        ITopics topics,
        DashboardStreamList streams,
        IDashboardReader dashboards,
        RealtimeOptions options,
        TimeProvider clock)
    {
        if (!(await AdmitAsync(context)).TryGet(out var caller, out var refusal)
            || !(await mediator.Send(new OpenDashboardQuery(orgId), context.RequestAborted)).TryGet(out var seat, out refusal)
            || !DashboardFilter.Parse(filters).TryGet(out var filter, out refusal))
        {
            return new RefusedHttpResult(refusal);
        }

        // Browsers' own clients send the header; those that open a new stream with a new ticket can send none.
        var last = StreamPlace.Parse(context.Request.Headers["Last-Event-ID"] is [{ Length: > 0 } header] ? header : lastEventId);
        using var stream = new DashboardStream(topics, options, clock, seat, caller, last, filter);
        if (!streams.TryAdd(stream))
        {
            return new RefusedHttpResult(DashboardRefusals.TooManyStreams);
        }

        try
        {
            var isResumed = await stream.FollowAsync(context.RequestAborted);
            var initial = isResumed ? [] : await InitialAsync(stream, topics, dashboards, context.RequestAborted);
            stream.Begin(place => Connected(stream, isResumed, clock.GetUtcNow(), place), initial);
            await WriteAsync(stream, context);
        }
        finally
        {
            streams.Remove(stream);
        }

        return Results.Empty;
    }

    /// <summary>By a token in a header, by a ticket in the address, or by the console's own session.</summary>
    private static async Task<Result<Connected>> AdmitAsync(HttpContext context)
    {
        if (!Cors.AllowsOrigin(context))
        {
            return OtherOrigin;
        }

        var shown = await RealtimeEndpoints.IdentifyAsync(context);
        var connected = shown.Identity;
        if (connected is null && shown.Rejected is null && await context.RequestServices.GetRequiredService<OperatorSession>().ResumeAsync(context) is { } token)
        {
            connected = await context.RequestServices.GetRequiredService<IConnectionCredentials>().FromTokenAsync(token, context.RequestAborted);
        }

        if (connected is null)
        {
            return shown.Rejected ?? Refusal.Unauthenticated;
        }

        context.RequestServices.GetRequiredService<HttpCaller>().Identify(connected, shown.Address, shown.UserAgent);
        return connected;
    }

    private static byte[] Connected(DashboardStream stream, bool isResumed, DateTimeOffset now, string? place) => DashboardFrames.Of(
        "connected",
        new
        {
            clientId = stream.Id,
            serverTime = now,
            permissions = stream.Seat.Permissions,
            recovered = isResumed,
            organizationId = stream.Seat.Scope.Organization?.Value,
            streams = stream.Seat.Streams,
            filters = stream.Filter,
        },
        place);

    /// <summary>How things stand, for whoever begins to watch.</summary>
    private static async Task<IReadOnlyList<byte[]>> InitialAsync(DashboardStream stream, ITopics topics, IDashboardReader dashboards, CancellationToken ct)
    {
        var (scope, filter) = (stream.Seat.Scope, stream.Filter);
        var metrics = await dashboards.MetricsAsync(scope, ct);
        var recent = await dashboards.RecentActivityAsync(scope, RecentActivity, ct);
        return
        [
            DashboardFrames.Of("initial_data", new { metrics, recentActivity = recent.Where(one => filter.AdmitsActivityOf(one.UserId)) }),
            .. topics.Recent(scope.Topic, DashboardMessages.AnalyticsUpdate, RecentUpdates).Reverse()
                .Where(update => filter.Admits(DashboardFrames.NoticeOf(update)))
                .Select(update => DashboardFrames.OfJson("recent_update", update.Publication.Data.Span, id: null)),
        ];
    }

    private static async Task WriteAsync(DashboardStream stream, HttpContext context)
    {
        context.WaitsOnPurpose();
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var response = context.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would keep events back until they fill a buffer.
        response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptEncoding); // Beside that of CORS.
        var encoding = EncodingFor(context.Request);
        if (encoding is not null)
        {
            response.Headers.ContentEncoding = encoding;
        }

        // Not disposed of where the client has gone: it would write its end.
        var body = encoding switch
        {
            "br" => new BrotliStream(response.Body, CompressionLevel.Fastest, leaveOpen: true),
            "gzip" => new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true),
            _ => response.Body,
        };
        if (!await stream.WriteAsync(body, context.RequestAborted))
        {
            context.Abort();
        }
        else if (encoding is not null)
        {
            await body.DisposeAsync();
        }
    }

    private static string? EncodingFor(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().AcceptEncoding;
        return Encodings.FirstOrDefault(name => accepted.Any(one => one.Value.Equals(name, StringComparison.OrdinalIgnoreCase) && one.Quality is not 0));
    }
}
