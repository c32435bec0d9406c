using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Tracker.Files;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Magnets;

/// <summary>A link by which other peers find the file and this tracker.</summary>
/// <param name="Hash">64 hexadecimal digits.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
/// <param name="Tracker">How the caller reached this server.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record MakeMagnetQuery(string Hash, Guid? ProjectId, string Tracker) : IQuery<MagnetMade>, IAboutTracker;

/// <param name="Magnet">All values percent-encoded.</param>
/// <param name="SeederCount">Who has the file and is online.</param>
public sealed record MagnetMade(string Magnet, FileFull File, int SeederCount);

internal sealed class MakeMagnetHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<MakeMagnetQuery, Result<MagnetMade>>
{
    public async Task<Result<MagnetMade>> Handle(MakeMagnetQuery request, CancellationToken cancellationToken)
    {
        if (!ContentHash.TryParse(request.Hash, out var hash) || swarms.FindFile(tracker.Current.Project, hash) is not { } file)
        {
            return TrackerRefusals.FileNotFound;
        }

        var magnet = new Magnet(hash, file.Name, file.Size, [request.Tracker], file.ChunkSize, file.ChunkCount);
        return new MagnetMade(magnet.ToString(), FileFull.Of(file, await swarms.ChunksAsync(file, cancellationToken)), file.Seeders);
    }
}
