using System.Security.Cryptography;
using Npgsql;
using Vtp.Application.Tenancy.Exports;
using Vtp.Domain.Tenancy.Exports;

namespace Vtp.Infrastructure.Archives;

/// <summary>Writes an archive in chunks: one is in memory at a time.</summary>
internal sealed class ChunkWriter(NpgsqlConnection connection, ArchiveExport export) : Stream
{
    public const int ChunkBytes = 256 * 1024;

    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _number;
    private int _filled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _hash.AppendData(buffer.Span);
        while (!buffer.IsEmpty)
        {
            var taken = Math.Min(buffer.Length, ChunkBytes - _filled);
            buffer[..taken].CopyTo(_chunk.AsMemory(_filled));
            (_filled, buffer) = (_filled + taken, buffer[taken..]);
            if (_filled == ChunkBytes)
            {
                await InsertAsync(cancellationToken);
            }
        }
    }

    /// <summary>Writes the rest.</summary>
    public async Task<StoredArchive> CompleteAsync(CancellationToken cancellationToken)
    {
        var bytes = ((long)_number * ChunkBytes) + _filled;
        if (_filled > 0)
        {
            await InsertAsync(cancellationToken);
        }

        return new StoredArchive(bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    // Chunks are whole but for the last, so that where a byte stands can be reckoned.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush() => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task InsertAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("INSERT INTO archive_export_chunks (export_id, number, organization_id, data) VALUES ($1, $2, $3, $4)", connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = export.Id });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _number });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = export.OrganizationId.Value });
        command.Parameters.Add(new NpgsqlParameter<ArraySegment<byte>> { TypedValue = new ArraySegment<byte>(_chunk, 0, _filled) });
        await command.ExecuteNonQueryAsync(cancellationToken);
        (_number, _filled) = (_number + 1, 0);
    }
}
