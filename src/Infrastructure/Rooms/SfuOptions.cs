namespace Vtp.Infrastructure.Rooms;

/// <summary>Configuration: section Sfu. Without an address here, LiveKit is used where it has an address and a key; else peers send to each other.</summary>
public sealed class SfuOptions
{
    /// <summary>Of the mediasoup service. It knows nobody by a credential: it must be reachable for this server alone.</summary>
    public Uri? MediasoupUrl { get; init; }

    /// <summary>For one answer of the unit.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
