using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Files;

/// <summary>What a file is made of, and who has it and is online.</summary>
/// <param name="Hash">64 hexadecimal digits.</param>
/// <param name="Limit">Peers, 1 to 200; 50 when absent. Of more so many are chosen by chance, so that the load is spread.</param>
/// <param name="ProjectId">For people: whose swarms. Keys and tokens have one project.</param>
[Requires(Permission.ReadSwarms)]
[RateLimited(RateLimitPolicies.Tracker)]
public sealed record FindPeersOfFileQuery(string Hash, int? Limit, Guid? ProjectId) : IQuery<FilePeers>, IAboutTracker;

/// <param name="FileSize">Bytes.</param>
/// <param name="ChunkSize">Bytes of each chunk but the last.</param>
/// <param name="Peers">IPv6 addresses in brackets; <c>chunks_available</c> lists all chunks, and none for a file of more than 4096.</param>
public sealed record FilePeers(
    string FileHash, string FileName, long FileSize, int ChunkCount, int ChunkSize, ChunkListJson Chunks, PeerListJson Peers);

internal sealed class FindPeersOfFileHandler(ISwarms swarms, ITrackerCaller tracker) : IRequestHandler<FindPeersOfFileQuery, Result<FilePeers>>
{
    private const int Default = 50;
    private const int Most = 200;

    public async Task<Result<FilePeers>> Handle(FindPeersOfFileQuery request, CancellationToken cancellationToken)
    {
        var project = tracker.Current.Project;
        if (!ContentHash.TryParse(request.Hash, out var hash) || swarms.FindFile(project, hash) is not { } file)
        {
            return TrackerRefusals.FileNotFound;
        }

        var peers = swarms.Holders(project, hash, Math.Clamp(request.Limit ?? Default, 1, Most)).Json(ChunkNumbersJson.Of(file.ChunkCount));
        return new FilePeers(request.Hash.Length == ContentHash.Digits ? request.Hash.ToLowerInvariant() : hash.ToString(), file.Name, file.Size, file.ChunkCount, file.ChunkSize, await swarms.ChunksAsync(file, cancellationToken), peers);
    }
}
