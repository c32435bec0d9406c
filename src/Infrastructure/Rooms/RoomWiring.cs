using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vtp.Application.Rooms.LiveKit;
using Vtp.Application.Rooms.Recordings;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Infrastructure.Rooms;

internal static class RoomWiring
{
    public static void AddRooms(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(LiveKitOptions.Read(configuration));
        services.AddSingleton<ILiveKitEvents, LiveKitEvents>();
        services.AddOptions<SignalingOptions>().Bind(configuration.GetSection("Signaling"))
            .Validate(options => options.MaximumParticipants is >= 1 and <= 1000, "Signaling:MaximumParticipants must lie between 1 and 1000.")
            .Validate(options => options.RoomsPerOrganization >= 1, "Signaling:RoomsPerOrganization must be 1 or more.")
            .Validate(options => options.IdleRoomsFor >= TimeSpan.FromMinutes(1), "Signaling:IdleRoomsFor must be a minute or more.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<SignalingOptions>>().Value);
        services.AddSingleton<SignalingRooms>();
        services.AddSingleton<ISignalingRooms>(provider => provider.GetRequiredService<SignalingRooms>());
        services.AddSingleton<RoomRecordings>();
        services.AddSingleton<IRoomRecordings>(provider => provider.GetRequiredService<RoomRecordings>());
        services.AddHostedService<SignalingUpkeep>();
        services.AddHostedService<RecordingUpkeep>();
        services.AddForwardingUnit(configuration);
    }

    private static void AddForwardingUnit(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<SfuOptions>().Bind(configuration.GetSection("Sfu"))
            .Validate(options => options.MediasoupUrl is null or { IsAbsoluteUri: true, Scheme: "http" or "https" }, "Sfu:MediasoupUrl is an http or https address.")
            .Validate(options => options.Timeout >= TimeSpan.FromMilliseconds(100) && options.Timeout <= TimeSpan.FromMinutes(1), "Sfu:Timeout must lie between 100 milliseconds and a minute.")
            .ValidateOnStart();
        var (liveKit, key, secret) = (configuration["LiveKit:Url"], configuration["LiveKit:ApiKey"], configuration["LiveKit:ApiSecret"]);
        services.AddSingleton<ISelectiveForwardingUnit>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<SfuOptions>>().Value;
            if (options.MediasoupUrl is { } mediasoup)
            {
                return new Mediasoup(Http(mediasoup));
            }

            // Its clients connect by ws, its service is at the same place by http.
            return !string.IsNullOrWhiteSpace(liveKit) && !string.IsNullOrWhiteSpace(key) && !string.IsNullOrWhiteSpace(secret)
                && Uri.TryCreate(liveKit, UriKind.Absolute, out var address) && address.Scheme is "ws" or "wss" or "http" or "https"
                ? LiveKit(new UriBuilder(address) { Scheme = address.Scheme is "wss" or "https" ? "https" : "http", Port = address.Port }.Uri)
                : new NoForwardingUnit(SfuRefusals.NotConfigured);

            // Each with its own view of who is away: a LiveKit without its egress service is not away.
            LiveKitUnit LiveKit(Uri service) => new(
                liveKit, key, secret, configuration["LiveKit:RecordingsPath"] is { Length: > 0 } path ? path : "recordings", Http(service), Http(service), provider.GetRequiredService<TimeProvider>());

            SfuHttp Http(Uri address) => ActivatorUtilities.CreateInstance<SfuHttp>(provider, address, options.Timeout);
        });
    }
}
