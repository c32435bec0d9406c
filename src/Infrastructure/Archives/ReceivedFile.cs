using System.IO.Compression;
using System.Text;

namespace Vtp.Infrastructure.Archives;

/// <summary>
/// An archive on its way in, in a temporary file without a name: it is gone with its handle, even when the process is
/// killed.
/// </summary>
internal sealed class ReceivedFile : IAsyncDisposable
{
    // The directory of an archive of ours has a few hundred bytes; one of millions of entries would fill the memory.
    private const long MaximumDirectory = 1024 * 1024;

    private readonly Bounded _file;
    private ZipArchive? _zip;

    private ReceivedFile(Bounded file) => _file = file;

    public static async Task<ReceivedFile> TakeAsync(Stream body, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Path.GetTempPath(), $"vtp-archive-{Guid.NewGuid():N}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            Options = FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var file = new FileStream(path, options);
        try
        {
            File.Delete(path);
            await body.CopyToAsync(file, cancellationToken);
            return new ReceivedFile(new Bounded(file));
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    public async Task<IReadOnlyList<ZipArchiveEntry>> EntriesAsync(CancellationToken cancellationToken)
    {
        _file.Budget = MaximumDirectory;
        _zip = await ZipArchive.CreateAsync(_file, ZipArchiveMode.Read, leaveOpen: true, Encoding.UTF8, cancellationToken);
        var entries = _zip.Entries;
        _file.Budget = long.MaxValue;
        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        if (_zip is not null)
        {
            await _zip.DisposeAsync();
        }

        await _file.DisposeAsync();
    }

    /// <summary>Gives so many bytes and no more.</summary>
    private sealed class Bounded(FileStream file) : Stream
    {
        public long Budget { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => file.Position = value;
        }

        public override int Read(byte[] buffer, int offset, int count) => Spend(file.Read(buffer, offset, count));

        public override int Read(Span<byte> buffer) => Spend(file.Read(buffer));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Spend(await file.ReadAsync(buffer, cancellationToken));

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void Flush() => file.Flush();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
            }

            base.Dispose(disposing);
        }

        private int Spend(int bytes) =>
            (Budget -= bytes) >= 0 ? bytes : throw new InvalidDataException("The directory of the archive is too large.");
    }
}
