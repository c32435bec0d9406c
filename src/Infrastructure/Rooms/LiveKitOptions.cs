using Microsoft.Extensions.Configuration;
using Vtp.Domain.Rooms.LiveKit;

namespace Vtp.Infrastructure.Rooms;

/// <summary>Section <c>LiveKit</c>: <c>ApiKey</c> and <c>ApiSecret</c>, and further pairs as <c>Keys:{key}</c> while keys are rotated.</summary>
internal static class LiveKitOptions
{
    /// <exception cref="StartupFault">A key without a secret, or the other way round. The message shows no secret.</exception>
    public static LiveKitKeys Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("LiveKit");
        var (key, secret) = (section["ApiKey"], section["ApiSecret"]);
        if (string.IsNullOrWhiteSpace(key) != string.IsNullOrWhiteSpace(secret))
        {
            throw new StartupFault("LiveKit:ApiKey and LiveKit:ApiSecret are set together or not at all.");
        }

        var secrets = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in section.GetSection("Keys").GetChildren())
        {
            secrets[pair.Key] = !string.IsNullOrWhiteSpace(pair.Value) ? pair.Value : throw new StartupFault($"LiveKit:Keys:{pair.Key} has no secret.");
        }

        if (!string.IsNullOrWhiteSpace(key))
        {
            secrets[key] = secret!;
        }

        return new LiveKitKeys(secrets);
    }
}
