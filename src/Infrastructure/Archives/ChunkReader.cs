using Npgsql;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>Reads what a <see cref="ChunkWriter"/> wrote, from any place on. Each chunk is a round trip of its own, so that a slow reader holds no connection.</summary>
internal sealed class ChunkReader(NpgsqlDataSource database, TenantScope tenant, ArchiveExport export) : Stream
{
    private byte[] _chunk = [];
    private long _number = -1;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = export.Bytes!.Value;

    public override long Position { get; set; }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= Length)
        {
            return 0;
        }

        var (number, start) = Math.DivRem(Position, ChunkWriter.ChunkBytes);
        if (number != _number)
        {
            (_chunk, _number) = (await LoadAsync((int)number, cancellationToken), number);
        }

        var taken = Math.Min(buffer.Length, _chunk.Length - (int)start);
        _chunk.AsMemory((int)start, taken).CopyTo(buffer);
        Position += taken;
        return taken;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
        // Nothing is written.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private async Task<byte[]> LoadAsync(int number, CancellationToken cancellationToken)
    {
        await using var command = database.CreateScopedCommand(
            tenant,
            "SELECT data FROM archive_export_chunks WHERE export_id = $1 AND number = $2",
            inIndexOrder: false,
            new NpgsqlParameter<Guid> { TypedValue = export.Id },
            new NpgsqlParameter<int> { TypedValue = number });
        await using var reader = await command.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? await reader.GetFieldValueAsync<byte[]>(0, cancellationToken)
            : throw new IOException("The export was deleted while it was read.");
    }
}
