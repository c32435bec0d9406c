using Microsoft.AspNetCore.Http.Features;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>
/// Keeps the stream below a WebSocket. The framework parses what comes; what goes out are frames that were made once for all
/// clients, many in one write, so that nothing but the answers to pings passes through the WebSocket itself.
/// </summary>
internal sealed class RawStreams(IHttpUpgradeFeature? upgrade, IHttpExtendedConnectFeature? connect) : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    /// <summary>Null until the WebSocket is accepted.</summary>
    public RawStream? Stream { get; private set; }

    bool IHttpUpgradeFeature.IsUpgradableRequest => upgrade?.IsUpgradableRequest == true;

    bool IHttpExtendedConnectFeature.IsExtendedConnect => connect?.IsExtendedConnect == true;

    string? IHttpExtendedConnectFeature.Protocol => connect?.Protocol;

    /// <summary>Before the WebSockets of the framework, which take what they find here.</summary>
    public static void Keep(IFeatureCollection features)
    {
        var raw = new RawStreams(features.Get<IHttpUpgradeFeature>(), features.Get<IHttpExtendedConnectFeature>());
        features.Set(raw);
        features.Set<IHttpUpgradeFeature>(raw);
        features.Set<IHttpExtendedConnectFeature>(raw);
    }

    async Task<Stream> IHttpUpgradeFeature.UpgradeAsync() => Stream = new RawStream(await upgrade!.UpgradeAsync());

    async ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync() => Stream = new RawStream(await connect!.AcceptAsync());
}

internal sealed class RawStream(Stream inner) : Stream
{
    public Stream Inner { get; } = inner;

    /// <summary>Takes the frames that the WebSocket makes by itself.</summary>
    public Action<ReadOnlyMemory<byte>>? Made { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Made?.Invoke(buffer);
        return default;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
