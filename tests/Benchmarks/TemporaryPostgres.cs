using Vtp.Infrastructure.Persistence.Embedded;

namespace Vtp.Benchmarks;

/// <summary>A PostgreSQL of its own for one run, as safe as in production (fsync is on), that leaves nothing behind.</summary>
internal sealed class TemporaryPostgres : IAsyncDisposable
{
    private readonly EmbeddedPostgres _server;

    private TemporaryPostgres(string folder, EmbeddedPostgres server) => (Folder, _server) = (folder, server);

    public string Folder { get; }

    public string ConnectionString => _server.ConnectionString;

    public static async Task<TemporaryPostgres> StartAsync(CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("vtp-bench-").FullName;
        try
        {
            return new TemporaryPostgres(folder, await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions(folder), ct));
        }
        catch
        {
            await RemoveAsync(folder);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await RemoveAsync(Folder);
    }

    private static async Task RemoveAsync(string folder)
    {
        // The data itself may lie elsewhere: where VTP is root, the server's user cannot enter this folder.
        await EmbeddedPostgres.ResetAsync(folder, CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
