using Vtp.Api.Realtime.SocketIo;

namespace Vtp.Api.Realtime.Signaling;

internal static class SignalingWiring
{
    public static void AddSignaling(this IServiceCollection services)
    {
        services.AddSharedNamespace("/signaling");
        services.AddSingleton<LiveRooms>();
        services.AddHostedService(provider => provider.GetRequiredService<LiveRooms>());
        services.AddSingleton<SocketFeature, SignalingFeature>();
    }
}
