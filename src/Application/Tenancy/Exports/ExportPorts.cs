using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Tenancy.Exports;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Keeps archives where every node finds them.</summary>
public interface IArchiveStore
{
    /// <summary>
    /// Writes the archive in the transaction of the running use case, as it is made: of a node that dies in the middle nothing
    /// is left, and of two that make the same one, one succeeds.
    /// </summary>
    Task<StoredArchive> WriteAsync(ArchiveExport kept, Archive archive, CancellationToken cancellationToken);

    /// <summary>Reads one that is ready. Can be sought in, and holds no connection between two reads.</summary>
    Stream Open(ArchiveExport kept);
}

/// <param name="Sha256">In lower-case hex.</param>
public sealed record StoredArchive(long Bytes, string Sha256);
