using Vtp.Domain.Common;

namespace Vtp.Domain.Tracker;

/// <summary>One chunk, as a peer announces it.</summary>
/// <param name="Hash">64 hexadecimal digits.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct AnnouncedChunk(int Index, string? Hash, long Size);

/// <summary>
/// What a file is made of. It never changes: whoever announces the same hash announces the same bytes, so that the first
/// manifest of a hash stands and a different one is refused.
/// </summary>
public sealed class FileManifest
{
    /// <summary>Bytes: 8 TiB.</summary>
    public const long MaximumSize = 1L << 43;

    /// <summary>At the peers' own 256 KiB a file of 128 GiB.</summary>
    public const int MaximumChunks = 1 << 19;

    public const int DefaultChunkSize = 256 * 1024;

    /// <summary>Bytes. What peers cap at is 1 MiB; a relayed chunk must fit into one message.</summary>
    public const int MaximumChunkSize = 16 * 1024 * 1024;

    private readonly byte[] _digests;

    private FileManifest(ContentHash hash, string name, long size, int chunkSize, byte[] digests, ContentHash? merkleRoot) =>
        (Hash, Name, Size, ChunkSize, _digests, MerkleRoot) = (hash, name, size, chunkSize, digests, merkleRoot);

    public ContentHash Hash { get; }

    public string Name { get; }

    /// <summary>Bytes.</summary>
    public long Size { get; }

    /// <summary>Bytes of each chunk but the last.</summary>
    public int ChunkSize { get; }

    /// <summary>Of the tree over all chunks; an empty file has none.</summary>
    public ContentHash? MerkleRoot { get; }

    public int ChunkCount => _digests.Length / ContentHash.Size;

    /// <summary>Of all chunks in order, 32 bytes each.</summary>
    public ReadOnlyMemory<byte> Digests => _digests;

    public string Category => FileCategory.Of(Name);

    /// <param name="hash">64 hexadecimal digits.</param>
    /// <param name="name">What <see cref="FileName"/> allows.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="chunkSize">Bytes of each chunk but the last; 0 for the default.</param>
    /// <param name="chunks">All of them, in order; none of an empty file.</param>
    /// <param name="merkleRoot">When the peer says one, it must be that of the chunks.</param>
    public static Result<FileManifest> Of(
        string? hash, string? name, long size, int chunkSize, IReadOnlyList<AnnouncedChunk>? chunks, string? merkleRoot)
    {
        if (!ContentHash.TryParse(hash, out var content))
        {
            return TrackerRefusals.NoHash("file.hash");
        }

        if (FileName.Fault(name) is { } fault)
        {
            return Refusal.Field("file.name", "file.name_refused", fault);
        }

        chunkSize = chunkSize == 0 ? DefaultChunkSize : chunkSize;
        if (Measure(size, chunkSize, chunks?.Count ?? 0) is { } wrong)
        {
            return wrong;
        }

        var digests = new byte[(chunks?.Count ?? 0) * ContentHash.Size];
        for (var index = 0; index < chunks?.Count; index++)
        {
            if (Take(chunks[index], index, chunks.Count, size, chunkSize, digests.AsSpan(index * ContentHash.Size, ContentHash.Size)) is { } refused)
            {
                return refused;
            }
        }

        return WithRoot(content, name!, size, chunkSize, digests, merkleRoot);
    }

    /// <summary>As it was kept.</summary>
    public static FileManifest Kept(ContentHash hash, string name, long size, int chunkSize, byte[] digests, ContentHash? merkleRoot) =>
        new(hash, name, size, chunkSize, digests, merkleRoot);

    public ContentHash DigestOf(int index) => new(_digests.AsSpan(index * ContentHash.Size, ContentHash.Size));

    /// <summary>Bytes of one chunk.</summary>
    public long SizeOf(int index) => SizeOf(index, ChunkCount, Size, ChunkSize);

    /// <summary>The same bytes in the same pieces; names may differ from peer to peer.</summary>
    public bool IsSameContent(FileManifest other) =>
        Hash == other.Hash && Size == other.Size && ChunkSize == other.ChunkSize && _digests.AsSpan().SequenceEqual(other._digests);

    private static Refusal? Measure(long size, int chunkSize, int count)
    {
        if (size is < 0 or > MaximumSize)
        {
            return Refusal.Field("file.size", "file.size_refused", $"The size must lie between 0 and {MaximumSize} bytes.");
        }

        if (chunkSize is < 1 or > MaximumChunkSize)
        {
            return Refusal.Field("file.chunk_size", "file.chunk_size_refused", $"The chunk size must lie between 1 and {MaximumChunkSize} bytes.");
        }

        var needed = (size + chunkSize - 1) / chunkSize;
        return needed > MaximumChunks || count > MaximumChunks ? Refusal.Field("file.chunks", "file.too_many_chunks", $"A file has at most {MaximumChunks} chunks: use larger ones.")
            : needed != count ? Refusal.Field("file.chunks", "file.chunks_do_not_add_up", $"{size} bytes in chunks of {chunkSize} are {needed} chunks, not {count}.")
            : null;
    }

    private static Refusal? Take(AnnouncedChunk chunk, int index, int count, long size, int chunkSize, Span<byte> digest)
    {
        if (chunk.Index != index)
        {
            return Refusal.Field($"file.chunks[{index}].index", "file.chunks_do_not_add_up", $"Chunks come in order: this one is {index}, not {chunk.Index}.");
        }

        if (SizeOf(index, count, size, chunkSize) is var expected && chunk.Size != expected)
        {
            return Refusal.Field($"file.chunks[{index}].size", "file.chunks_do_not_add_up", $"This chunk has {expected} bytes, not {chunk.Size}.");
        }

        if (!ContentHash.TryParse(chunk.Hash, out var hash))
        {
            return TrackerRefusals.NoHash($"file.chunks[{index}].hash");
        }

        hash.CopyTo(digest);
        return null;
    }

    private static Result<FileManifest> WithRoot(ContentHash hash, string name, long size, int chunkSize, byte[] digests, string? claimed)
    {
        ContentHash? root = digests.Length > 0 ? MerkleTree.Root(digests) : null;
        if (!string.IsNullOrEmpty(claimed))
        {
            if (!ContentHash.TryParse(claimed, out var parsed))
            {
                return TrackerRefusals.NoHash("file.merkle_root");
            }

            if (root is not null && parsed != root)
            {
                return Refusal.Field("file.merkle_root", "file.merkle_root_differs", "This is not the root of the tree over these chunks.");
            }
        }

        return new FileManifest(hash, name, size, chunkSize, digests, root);
    }

    private static long SizeOf(int index, int count, long size, int chunkSize) =>
        index < count - 1 ? chunkSize : size - ((long)chunkSize * (count - 1));
}
