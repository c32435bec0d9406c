using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Tracker;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// The chunks of files as JSON: a hundred bytes for each, written once and kept, up to a number of bytes. They never change;
/// what is asked for by many at once is read once.
/// </summary>
internal sealed class ChunkLists([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database) : IDisposable
{
    private const long MostBytes = 64 * 1024 * 1024;
    private const string ReadDigests = "SELECT digests FROM tracker_files WHERE id = $1";

    private static readonly ChunkListJson None = new("[]"u8.ToArray());

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MostBytes, CompactionPercentage = 0.25 });
    private readonly ConcurrentDictionary<long, Lazy<Task<ChunkListJson>>> _reading = new();

    public ValueTask<ChunkListJson> OfAsync(ListedFile file, CancellationToken cancellationToken) =>
        file.ChunkCount == 0 ? new(None)
        : _kept.TryGetValue(file.Id, out ChunkListJson? known) ? new(known!)
        : new(ReadAsync(file, cancellationToken));

    public void Dispose() => _kept.Dispose();

    private async Task<ChunkListJson> ReadAsync(ListedFile file, CancellationToken cancellationToken)
    {
        var reading = _reading.GetOrAdd(file.Id, _ => new Lazy<Task<ChunkListJson>>(() => ReadAsync(file)));
        try
        {
            return await reading.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            _reading.TryRemove(KeyValuePair.Create(file.Id, reading));
        }
    }

    /// <summary>For all who wait: none of them may end it for the others.</summary>
    private async Task<ChunkListJson> ReadAsync(ListedFile file)
    {
        await using var batch = database.CreateSystemCommand(ReadDigests, new NpgsqlParameter<long> { TypedValue = file.Id });
        await using var reader = await batch.ReadAsync(CancellationToken.None);

        // Forgotten at this moment: who looked for it found it just before.
        var list = await reader.ReadAsync(CancellationToken.None) ? Write(file, await reader.GetFieldValueAsync<byte[]>(0, CancellationToken.None)) : None;
        using var entry = _kept.CreateEntry(file.Id);
        (entry.Value, entry.Size) = (list, list.Utf8.Length);
        return list;
    }

    private static ChunkListJson Write(ListedFile file, byte[] digests)
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(256, file.ChunkCount * 112));
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        Span<byte> hash = stackalloc byte[ContentHash.Digits];
        writer.WriteStartArray();
        for (var index = 0; index < file.ChunkCount; index++)
        {
            Convert.TryToHexStringLower(digests.AsSpan(index * ContentHash.Size, ContentHash.Size), hash, out _);
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, index);
            writer.WriteString("hash"u8, hash);
            writer.WriteNumber("size"u8, ChunkCollection.SizeOf(index, file.ChunkCount, file.Size, file.ChunkSize));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.Flush();
        return new ChunkListJson(buffer.WrittenMemory);
    }
}
