using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tracker;

namespace Vtp.Infrastructure.Tracker;

/// <summary>Section Tracker, and API_KEYS as the tracker that this one took the place of read it.</summary>
internal sealed class TrackerOptions
{
    private const string AdministratorPrefix = "admin=";
    private const int MaximumKeyLength = 256;

    private TrackerOptions(IReadOnlyList<ConfiguredKey> keys, Guid? publicProject, ClaimedAddresses addresses, int peers, int files) =>
        (Keys, PublicProject, Addresses, PeersPerProject, FilesPerProject) = (keys, publicProject, addresses, peers, files);

    /// <summary>Of the installation itself, for a quick start.</summary>
    public IReadOnlyList<ConfiguredKey> Keys { get; }

    /// <summary>Whose swarms callers without a key may read.</summary>
    public Guid? PublicProject { get; }

    /// <summary>Whether a peer's own word counts for where it is listed.</summary>
    public ClaimedAddresses Addresses { get; }

    public int PeersPerProject { get; }

    public int FilesPerProject { get; }

    public static TrackerOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Tracker");
        var keys = (section["ApiKeys"] is { Length: > 0 } own ? own : configuration["API_KEYS"] ?? "")
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Key)
            .ToList();
        var publicProject = section["PublicProject"] switch
        {
            null or "" => (Guid?)null,
            var text when Guid.TryParse(text, out var id) => id,
            var text => throw new StartupFault($"Tracker:PublicProject is '{text}', not the id of a project."),
        };
        var addresses = section["TrustClaimedAddresses"] switch
        {
            null or "" => ClaimedAddresses.FromPrivateNetworks,
            var text when Enum.TryParse<ClaimedAddresses>(text, ignoreCase: true, out var word) && Enum.IsDefined(word) && !char.IsAsciiDigit(text[0]) => word,
            var text => throw new StartupFault($"Tracker:TrustClaimedAddresses is '{text}', not one of {string.Join(", ", Enum.GetNames<ClaimedAddresses>())}."),
        };
        return new TrackerOptions(keys, publicProject, addresses, Number("PeersPerProject", 100_000), Number("FilesPerProject", 100_000));

        int Number(string name, int fallback) => section.GetValue(name, fallback) is >= 1 and var number
            ? number
            : throw new StartupFault($"Tracker:{name} must be 1 or more.");
    }

    private static ConfiguredKey Key(string text)
    {
        var isAdministrators = text.StartsWith(AdministratorPrefix, StringComparison.Ordinal);
        var key = isAdministrators ? text[AdministratorPrefix.Length..] : text;
        return key.Length is > 0 and <= MaximumKeyLength && Ascii.IsValid(key)
            ? new ConfiguredKey(SHA256.HashData(Encoding.ASCII.GetBytes(key)), isAdministrators ? TrackerRole.Admin : TrackerRole.Peer)
            : throw new StartupFault($"API_KEYS: a key has 1 to {MaximumKeyLength} characters of ASCII.");
    }
}

/// <param name="Hash">SHA-256.</param>
internal sealed record ConfiguredKey(byte[] Hash, TrackerRole Role);
