using Vtp.Api;
using Vtp.Api.Console;
using Vtp.Api.Console.Operators;
using Vtp.Api.Endpoints.Audit;
using Vtp.Api.Endpoints.Events;
using Vtp.Api.Endpoints.Identity;
using Vtp.Api.Endpoints.Operations;
using Vtp.Api.Endpoints.Rooms;
using Vtp.Api.Endpoints.Tenancy;
using Vtp.Api.Endpoints.Tracker;
using Vtp.Api.Endpoints.Webhooks;
using Vtp.Api.Http;
using Vtp.Api.OpenApi;
using Vtp.Api.Realtime;
using Vtp.Api.Realtime.Dashboard;
using Vtp.Api.Realtime.Signaling;
using Vtp.Application;
using Vtp.Application.Common;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Persistence;

if (args is [AuditCommand.Name, .. var words])
{
    return AuditCommand.Run(words, Console.Out, Console.Error);
}

try
{
    var options = StartOptions.Parse(args);
    var builder = WebApplication.CreateBuilder(options.Host);
    builder.UseVtpServer(options);
    builder.Services.AddApplication();
    builder.Services.AddInfrastructure(builder.Configuration, options.Folder, services => services.PublicUrl(options));
    builder.Services.AddScoped<HttpCaller>();
    builder.Services.AddScoped<LongPoll>();
    builder.Services.AddSingleton<AnnouncementReader>();
    builder.Services.AddTransient<ICaller>(provider => provider.GetRequiredService<HttpCaller>());
    builder.Services.ConfigureHttpJsonOptions(json => Json.Configured(json.SerializerOptions));
    builder.Services.AddTraceIdentifiers();
    builder.Services.AddProblems();
    builder.Services.AddOpenApiDocument();
    builder.AddOrigins();
    builder.Services.AddRazorComponents();
    builder.Services.AddOperatorForms();
    builder.Services.AddInternalServer();
    builder.Services.AddSocketIo();
    builder.Services.AddSignaling();
    builder.Services.AddTrackerSockets();

    await using var app = builder.Build();
    app.CheckConfiguration(options);
    await using var database = await StartDatabase.EmbeddedUnlessConfiguredAsync(options, app.Configuration);

    app.UseRequestSpans();
    app.UseRequestLog();
    app.UseProblems();
    app.UseHead();
    app.UseTrustedProxies();
    app.UseHttpsRedirect();
    app.UseOrigins();
    app.UseSocketIo(); // Before that for all others, which leaves alone what is a WebSocket already.
    app.UseWebSockets();
    app.UseCaller();
    app.UseLimits();

    app.MapHealth();
    app.MapMetrics();
    app.MapDocumentation();
    app.MapJsonWebKeys();
    app.MapPages();
    app.MapConsole();
    app.MapSocketIo();

    var api = app.MapGroup("/api/v1");
    api.MapAccounts();
    api.MapSessions();
    api.MapTwoFactor();
    api.MapAdministration();
    api.MapJobs();
    api.MapCache();
    api.MapOrganizations();
    api.MapTeam();
    api.MapProjects();
    api.MapArchives();
    api.MapExports();
    api.MapAudit();
    api.MapEvents();
    api.MapWebhooks();
    api.MapRealtimeTickets();
    api.MapRooms();
    api.MapLiveKit();
    app.MapLegacyLiveKit();
    api.MapInstallationAudit();
    api.MapLimits();
    app.MapTracker();
    app.MapRelay();
    app.MapFeed();
    app.MapDashboard();
    app.MapLiveDashboard();
    app.MapPerformance();
    app.MapProfiling();

    await app.Services.MigrateDatabaseAsync(CancellationToken.None);
    await app.ServeAsync(options, database);
    return 0;
}
catch (Exception exception) when (StartFaults.Sentence(exception) is string sentence)
{
    await Console.Error.WriteLineAsync(sentence);
    return 1;
}
