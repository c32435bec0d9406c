using System.Collections;
using System.Runtime.InteropServices;
using Vtp.Domain.Common;

namespace Vtp.Domain.Tracker;

/// <summary>
/// What a file is made of. It never changes: whoever announces the same hash announces the same bytes, so that the first
/// manifest of a hash stands and a different one is refused.
/// </summary>
public sealed class FileManifest
{
    /// <summary>Bytes: 8 TiB.</summary>
    public const long MaximumSize = 1L << 43;

    public const int DefaultChunkSize = 256 * 1024;

    /// <summary>Bytes. What peers cap at is 1 MiB; a relayed chunk must fit into one message.</summary>
    public const int MaximumChunkSize = 16 * 1024 * 1024;

    private readonly ContentHash? _claimedRoot;

    private FileManifest(ContentHash hash, string name, long size, int chunkSize, ChunkCollection chunks, ContentHash? claimedRoot) =>
        (Hash, Name, Size, ChunkSize, Chunks, Fingerprint, _claimedRoot) = (hash, name, size, chunkSize, chunks, ContentHash.Of(chunks.Bytes.Span), claimedRoot);

    public ContentHash Hash { get; }

    public string Name { get; }

    /// <summary>Bytes.</summary>
    public long Size { get; }

    /// <summary>Bytes of each chunk but the last.</summary>
    public int ChunkSize { get; }

    public ChunkCollection Chunks { get; }

    /// <summary>SHA-256 of the digests of all chunks: two lists of chunks are the same when this is.</summary>
    public ContentHash Fingerprint { get; }

    /// <param name="hash">64 hexadecimal digits.</param>
    /// <param name="name">What <see cref="FileName"/> allows.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="chunkSize">Bytes of each chunk but the last; 0 for the default.</param>
    /// <param name="chunks">All of them; none of an empty file.</param>
    /// <param name="merkleRoot">As the peer says it; see <see cref="Root"/>.</param>
    public static Result<FileManifest> Of(string? hash, string? name, long size, int chunkSize, ChunkCollection chunks, string? merkleRoot)
    {
        if (!ContentHash.TryParse(hash, out var content))
        {
            return TrackerRefusals.NoHash("file.hash");
        }

        if (FileName.Fault(name) is { } fault)
        {
            return Refusal.Field("file.name", "file.name_refused", fault);
        }

        ContentHash? root = null;
        if (!string.IsNullOrEmpty(merkleRoot))
        {
            if (!ContentHash.TryParse(merkleRoot, out var claimed))
            {
                return TrackerRefusals.NoHash("file.merkle_root");
            }

            root = claimed;
        }

        chunkSize = chunkSize == 0 ? DefaultChunkSize : chunkSize;
        return (Measure(size, chunkSize, chunks.Count) ?? chunks.Measure(size, chunkSize)) is { } wrong ? wrong : new FileManifest(content, name!, size, chunkSize, chunks, root);
    }

    /// <summary>The root of the tree over all chunks, which must be what the peer said it is. An empty file has none.</summary>
    /// <param name="known">When it was computed before, of chunks with the same fingerprint: it is some work for a large file.</param>
    public Result<MerkleRoot> Root(ContentHash? known = null)
    {
        ContentHash? root = Chunks.Count == 0 ? null : known ?? MerkleTree.Root(Chunks.Bytes.Span);
        return _claimedRoot is not null && root is not null && _claimedRoot != root
            ? Refusal.Field("file.merkle_root", "file.merkle_root_differs", "This is not the root of the tree over these chunks.")
            : new MerkleRoot(root);
    }

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
        return needed > ChunkCollection.Maximum ? ChunkCollection.TooMany
            : needed != count ? Refusal.Field("file.chunks", "file.chunks_do_not_add_up", $"{size} bytes in chunks of {chunkSize} are {needed} chunks, not {count}.")
            : null;
    }
}

/// <param name="Hash">Null of an empty file.</param>
public sealed record MerkleRoot(ContentHash? Hash);

/// <summary>One chunk, as a peer announces it.</summary>
/// <param name="Hash">Null for what is none.</param>
/// <param name="Size">Bytes.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct AnnouncedChunk(int Index, ContentHash? Hash, long Size);

/// <summary>
/// The chunks of a file as they arrive, one after the other: 32 bytes of each are kept, and what their sizes have in common.
/// One that cannot be right ends it with a <see cref="RefusedException"/>, so that nobody reads on.
/// </summary>
public sealed class ChunkCollection : ICollection<AnnouncedChunk>
{
    /// <summary>At the peers' own 256 KiB a file of 128 GiB.</summary>
    public const int Maximum = 1 << 19;

    public static readonly Refusal TooMany = Refusal.Field("file.chunks", "file.too_many_chunks", $"A file has at most {Maximum} chunks: use larger ones.");

    private byte[] _bytes = [];
    private long _size;
    private long _lastSize;

    // The first that is not as large as the first one; only the last may be.
    private int _odd = int.MaxValue;
    private long _oddSize;

    public int Count { get; private set; }

    /// <summary>Of all chunks in order, 32 bytes each.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Count * ContentHash.Size);

    public bool IsReadOnly => false;

    public void Add(AnnouncedChunk item)
    {
        if (Count == Maximum)
        {
            throw new RefusedException(TooMany);
        }

        if (item.Index != Count)
        {
            throw new RefusedException(
                Refusal.Field($"file.chunks[{Count}].index", "file.chunks_do_not_add_up", $"Chunks come in order: this one is {Count}, not {item.Index}."));
        }

        if (item.Hash is not { } digest)
        {
            throw new RefusedException(TrackerRefusals.NoHash($"file.chunks[{Count}].hash"));
        }

        var end = (Count + 1) * ContentHash.Size;
        if (_bytes.Length < end)
        {
            Array.Resize(ref _bytes, Math.Max(end, Math.Min(2 * _bytes.Length, Maximum * ContentHash.Size)));
        }

        digest.CopyTo(_bytes.AsSpan(end - ContentHash.Size, ContentHash.Size));
        if (Count == 0)
        {
            _size = item.Size;
        }
        else if (item.Size != _size && _odd == int.MaxValue)
        {
            (_odd, _oddSize) = (Count, item.Size);
        }

        _lastSize = item.Size;
        Count++;
    }

    public IEnumerator<AnnouncedChunk> GetEnumerator()
    {
        for (var index = 0; index < Count; index++)
        {
            yield return new AnnouncedChunk(index, new ContentHash(_bytes.AsSpan(index * ContentHash.Size, ContentHash.Size)), index == Count - 1 ? _lastSize : _size);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    bool ICollection<AnnouncedChunk>.Contains(AnnouncedChunk item) => throw Growing();

    void ICollection<AnnouncedChunk>.CopyTo(AnnouncedChunk[] array, int arrayIndex) => throw Growing();

    void ICollection<AnnouncedChunk>.Clear() => throw Growing();

    bool ICollection<AnnouncedChunk>.Remove(AnnouncedChunk item) => throw Growing();

    /// <summary>Bytes of one chunk.</summary>
    public static long SizeOf(int index, int count, long size, int chunkSize) =>
        index < count - 1 ? chunkSize : size - ((long)chunkSize * (count - 1));

    /// <returns>The chunk at fault, if the sizes are not those of a file of this size in chunks of that one.</returns>
    internal Refusal? Measure(long size, int chunkSize)
    {
        var last = Count - 1;
        return Count == 0 ? null
            : last > 0 && _size != chunkSize ? Wrong(0, chunkSize, _size)
            : _odd < last ? Wrong(_odd, chunkSize, _oddSize)
            : SizeOf(last, Count, size, chunkSize) is var expected && _lastSize != expected ? Wrong(last, expected, _lastSize)
            : null;

        static Refusal Wrong(int index, long expected, long said) =>
            Refusal.Field($"file.chunks[{index}].size", "file.chunks_do_not_add_up", $"This chunk has {expected} bytes, not {said}.");
    }

    private static NotSupportedException Growing() => new("Chunks are only added.");
}
