using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MediatR;
using Microsoft.AspNetCore.Connections;
using Vtp.Api.Endpoints.Operations;
using Vtp.Api.Http;
using Vtp.Application.Operations.Metrics;
using Vtp.Infrastructure;

namespace Vtp.Api;

/// <summary>
/// A second port for those who run the server, where no credential is asked for: metrics and profiles. A server of its own, so that nothing of the
/// public one can be reached by it, nor it by the public one; by default this machine alone reaches it.
/// </summary>
internal sealed partial class InternalServer(IServiceProvider services, IConfiguration configuration, ILogger<InternalServer> logger) : IHostedService, IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>Where it listens, once it does.</summary>
    public Uri? Url { get; private set; }

    /// <returns>Null when there is to be none.</returns>
    public static int? PortOf(IConfiguration configuration) => configuration["Internal:Port"] switch
    {
        null or "" => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 => port,
        var text => throw new StartupFault($"Internal:Port is '{text}', not a port number."),
    };

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (PortOf(configuration) is not { } port)
        {
            return;
        }

        var address = AddressOf(configuration);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, port);
        });
        builder.Services.AddSingleton(services.GetRequiredService<ILoggerFactory>());
        builder.Services.AddRoutingCore();
        builder.Services.AddProblems();
        builder.Services.ConfigureHttpJsonOptions(json => Json.Configured(json.SerializerOptions));
        builder.Services.AddScoped(_ => new Scope(services.CreateAsyncScope()));
        builder.Services.AddScoped(provider => provider.GetRequiredService<Scope>().Services.GetRequiredService<IMediator>());
        _app = builder.Build();
        _app.UseProblems();
        _app.Use((context, next) =>
        {
            context.RequestServices.GetRequiredService<Scope>().Services.GetRequiredService<HttpCaller>().Operates(context);
            context.WriteStandardHeaders();
            context.Response.Headers.CacheControl = "no-store";
            return next(context);
        });
        _app.UseRouting();
        _app.MapInternalMetrics(services.GetRequiredService<IMetrics>());
        _app.MapProfiling();
        _app.UseEndpoints(_ => { });
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            throw new StartupFault($"Internal:Port {port} is in use: stop the program that uses it, or choose another one.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AccessDenied)
        {
            throw new StartupFault($"VTP may not listen on {address} port {port}, which Internal:Address and Internal:Port name.");
        }

        Url = new Uri(_app.Urls.First());
        LogListening(Url);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? default;

    private static IPAddress AddressOf(IConfiguration configuration) => configuration["Internal:Address"] switch
    {
        null or "" => IPAddress.Loopback,
        var text when IPAddress.TryParse(text, out var address) => address,
        var text => throw new StartupFault($"Internal:Address is '{text}', not an IP address."),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Metrics are served on {Url}, to whoever reaches it, and so are profiles")]
    private partial void LogListening(Uri url);

    /// <summary>Of the public server's services, for one request of this one.</summary>
    private sealed class Scope(AsyncServiceScope scope) : IAsyncDisposable
    {
        public IServiceProvider Services => scope.ServiceProvider;

        public ValueTask DisposeAsync() => scope.DisposeAsync();
    }
}

internal static class InternalServerWiring
{
    public static void AddInternalServer(this IServiceCollection services)
    {
        services.AddSingleton<InternalServer>();
        services.AddHostedService(provider => provider.GetRequiredService<InternalServer>());
    }
}
