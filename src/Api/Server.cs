using System.Data.Common;
using System.Net;
using System.Net.Sockets;
using MediatR;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Vtp.Api.Http;
using Vtp.Application.Identity.Administration;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Observability;
using Vtp.Infrastructure.Persistence.Embedded;
using Vtp.Infrastructure.RateLimiting;

namespace Vtp.Api;

/// <summary>How the process listens, speaks to its operator and ends.</summary>
internal static class Server
{
    // More than any JSON body of ours; routes that take files raise it for themselves.
    private const int MaximumBodyBytes = 32 * 1024;

    // Who is slower holds a connection open for its own sake.
    private static readonly TimeSpan HeadersArriveWithin = TimeSpan.FromSeconds(10);
    private static readonly MinDataRate SlowestBody = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));

    public static void UseVtpServer(this WebApplicationBuilder builder, StartOptions options)
    {
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null && builder.Configuration["HTTP_PORTS"] is null)
        {
            // Kestrel finds a free port for one address, and localhost stands for two.
            builder.WebHost.UseUrls(options.Port == 0 ? "http://127.0.0.1:0" : LocalUrl(options));
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaximumBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = HeadersArriveWithin;
            kestrel.Limits.MinRequestBodyDataRate = SlowestBody;
        });

        builder.Logging.AddLogs(builder.Configuration);

        // These two write request URLs and bodies, whose query strings may hold one-time tokens.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.HttpLogging", LogLevel.None);

        // And this one writes a stack trace for what StartFaults says in a sentence.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    }

    /// <summary>How people reach the server: PublicUrl, else where it listens, as this machine sees it.</summary>
    public static Uri PublicUrl(this IServiceProvider services, StartOptions options)
    {
        if (services.GetRequiredService<IConfiguration>()["PublicUrl"] is { Length: > 0 } configured)
        {
            return Uri.TryCreate(configured, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
                ? url
                : throw new StartupFault($"PublicUrl is '{configured}', not an address like https://vtp.example.com.");
        }

        var listening = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        var address = BindingAddress.Parse(listening ?? LocalUrl(options));
        var isEverywhere = address.IsUnixPipe || address.Host is "*" or "+" or "[::]" or "0.0.0.0";
        return new UriBuilder(address.Scheme, isEverywhere ? "localhost" : address.Host, address.Port).Uri;
    }

    /// <summary>Before anything is started: a setting that makes no sense is not found by the first request that needs it.</summary>
    public static void CheckConfiguration(this WebApplication app, StartOptions options)
    {
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        app.Services.GetRequiredService<RateLimitSettings>();
        app.Services.PublicUrl(options);
    }

    /// <summary>X-Forwarded-For and -Proto are believed from these proxies only (CIDRs, comma separated); by default from none.</summary>
    public static void UseTrustedProxies(this WebApplication app)
    {
        if (app.Configuration["TrustedProxies"] is not { Length: > 0 } proxies)
        {
            return;
        }

        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in proxies.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            options.KnownIPNetworks.Add(System.Net.IPNetwork.TryParse(proxy, out var network) ? network
                : IPAddress.TryParse(proxy, out var address) ? new System.Net.IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
                : throw new StartupFault($"TrustedProxies: {proxy} is neither an address nor a CIDR."));
        }

        app.UseForwardedHeaders(options);
    }

    /// <summary>HEAD is GET without the body (RFC 9110 section 9.3.2), which Kestrel leaves out by itself.</summary>
    public static void UseHead(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (HttpMethods.IsHead(context.Request.Method))
            {
                context.Request.Method = HttpMethods.Get;
            }

            return next(context);
        });

        // Here and not, as by default, before everything: the route is chosen by the method.
        app.UseRouting();
    }

    public static void MapDocumentation(this WebApplication app)
    {
        app.MapOpenApi("/openapi/v1.json").OpenToAll("The shape of the API is public; its data is not.");

        // Every request would pass through it, although it is asked for under its own path only.
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase),
            pages => pages.Use(SecurityHeaders.Swagger).UseSwaggerUI(ui =>
            {
                ui.RoutePrefix = "swagger";
                ui.DocumentTitle = "VTP API";
                ui.SwaggerEndpoint("/openapi/v1.json", "VTP v1");
                ui.EnablePersistAuthorization();
            }));
    }

    /// <summary>Starts to listen, tells the operator where, and runs until it is told to stop.</summary>
    public static async Task ServeAsync(this WebApplication app, StartOptions options, EmbeddedPostgres? database)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception exception)
        {
            // Parts of it run already, and would take their disposal for a crash.
            await app.StopAsync();
            if (exception is OperationCanceledException)
            {
                return; // Ctrl-C, before it had begun.
            }

            throw;
        }

        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stopping = app.Lifetime.ApplicationStopping.Register(told.SetResult);
        await GreetAsync(app, options, database);
        if (database is not null && await Task.WhenAny(told.Task, database.Exited) != told.Task)
        {
            // What is at work cannot be saved any more, so there is little to wait for.
            using var hurry = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await app.StopAsync(hurry.Token);
            throw new StartupFault($"The embedded PostgreSQL server has stopped; {Path.Combine(options.Folder, "postgres.log")} says why.");
        }

        await told.Task;
        await app.StopAsync();
    }

    private static async Task GreetAsync(WebApplication app, StartOptions options, EmbeddedPostgres? database)
    {
        var output = System.Console.Out;
        var url = app.Services.PublicUrl(options);
        await output.WriteLineAsync($"VTP serves on {url.GetLeftPart(UriPartial.Authority)}");
        await output.WriteLineAsync($"Swagger: {new Uri(url, "/swagger")}");

        // People are served when the database comes back from a moment's absence, and so is the operator.
        while (!await OfferAsync(app, options, output) && !app.Lifetime.ApplicationStopping.IsCancellationRequested && database is not { Exited.IsCompleted: true })
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        await output.WriteLineAsync("Stop with Ctrl-C.");
    }

    /// <returns>False: the database was away.</returns>
    private static async Task<bool> OfferAsync(WebApplication app, StartOptions options, TextWriter output)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var mediator = scope.ServiceProvider.GetRequiredService<IMediator>();
        try
        {
            if (options.Demo)
            {
                await DemoSchool.AddAsync(mediator, options.Folder, output);
            }

            if ((await mediator.Send(new OfferSetupCommand())).TryGet(out var offer, out _) && offer.Link is { } link)
            {
                await output.WriteLineAsync($"Create the first administrator (once, within 30 minutes): {link}");
            }

            return true;
        }
        catch (Exception exception) when (exception.GetBaseException() is DbException { IsTransient: true } or SocketException)
        {
            return false;
        }
    }

    private static string LocalUrl(StartOptions options) => $"http://localhost:{options.Port}";
}
