using System.Text.Json.Serialization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Tracker.Files;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Magnets;

/// <summary>What a magnet link says, and whether the project's swarms know the file.</summary>
/// <param name="Uri">The link, percent-encoded once more as a value of a query string.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record ParseMagnetQuery(string? Uri, Guid? ProjectId) : IQuery<MagnetParsed>, IAboutTracker;

/// <param name="InfoHash">SHA-256, 64 hexadecimal digits.</param>
/// <param name="Size">Bytes; 0 when the link does not say it.</param>
/// <param name="File">Only of a file that is known.</param>
/// <param name="SeederCount">Only of a file that is known.</param>
public sealed record MagnetParsed(
    string InfoHash,
    string DisplayName,
    long Size,
    IReadOnlyList<string> Trackers,
    bool Exists,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FileFull? File,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? SeederCount);

internal sealed class ParseMagnetHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<ParseMagnetQuery, Result<MagnetParsed>>
{
    public async Task<Result<MagnetParsed>> Handle(ParseMagnetQuery request, CancellationToken cancellationToken)
    {
        if (!Magnet.Parse(request.Uri).TryGet(out var magnet, out var refusal))
        {
            return refusal;
        }

        var file = swarms.FindFile(tracker.Current.Project, magnet.Hash);
        return new MagnetParsed(
            magnet.Hash.ToString(),
            magnet.Name ?? "",
            magnet.Size ?? 0,
            magnet.Trackers,
            file is not null,
            file is null ? null : FileFull.Of(file, await swarms.ChunksAsync(file, cancellationToken)),
            file?.Seeders);
    }
}
