using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

/// <summary>A folder of data for servers that run one after the other, and what the embedded PostgreSQL leaves in it.</summary>
public sealed class VtpFolder : IAsyncLifetime, IAsyncDisposable
{
    public VtpFolder()
    {
        // The server's own user must be able to enter it, or the data would lie elsewhere and outlive this test.
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("vtp-startup-").FullName;

    public bool HasPostgres => Directory.Exists(Data);

    /// <summary>The embedded server's process and the folder of its socket, while it runs.</summary>
    public (int Process, string Socket)? Postgres =>
        File.Exists(PidFile) && File.ReadAllLines(PidFile) is [var process, _, _, _, var socket, ..] ? (int.Parse(process), socket) : null;

    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = Postgres!.Value.Socket,
        Username = "vtp",
        Database = "vtp",
        Password = File.ReadAllText(System.IO.Path.Combine(Path, "postgres-password")),
        Pooling = false,
    }.ConnectionString;

    private string Data => System.IO.Path.Combine(Path, "postgres");

    private string PidFile => System.IO.Path.Combine(Data, "postmaster.pid");

    public static bool IsAlive(int process) => Directory.Exists($"/proc/{process}");

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetFieldValue<T>(0));
        }

        return values;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>After a server that a failed test had to kill, its PostgreSQL needs a moment to end by itself.</summary>
    public async Task DisposeAsync()
    {
        if (Postgres is { Process: var process })
        {
            await VtpApi.UntilAsync(() => !IsAlive(process), "the embedded PostgreSQL to end");
        }

        Directory.Delete(Path, recursive: true);
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
}
