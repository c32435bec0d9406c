using System.Diagnostics;
using Npgsql;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <param name="Folder">The clone's <c>.vtp</c> folder.</param>
/// <param name="BinFolder">Where PostgreSQL's programs are, instead of the usual places.</param>
/// <param name="ExtraSettings">More settings, <c>name=value</c>, which win over VTP's own.</param>
public sealed record EmbeddedPostgresOptions(
    string Folder, string? BinFolder = null, IReadOnlyList<string>? ExtraSettings = null);

/// <summary>A private PostgreSQL server in <c>.vtp</c>, for a machine on which nobody has set one up. It ends with VTP.</summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const int Port = 5432; // No more than a part of the socket's name: the server listens on no network.
    private const string Administrator = "postgres";
    private const string Name = "vtp"; // Of the database, and of the role that owns it and may do no more than that.

    // Recovery after a power cut replays the log first.
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(25);

    private static readonly string[] Settings =
    [
        "listen_addresses=",
        $"port={Port}",
        "max_connections=200",
        // Compiling a query takes longer than most of ours run.
        "jit=off",
        "random_page_cost=1.1",
        // The default keeps up to 1 GB of log for a database of any size.
        "max_wal_size=512MB",
        // A queue of jobs leaves many dead rows in a minute, the default, and as much room behind.
        "autovacuum_naptime=5s",
        "timezone=UTC",
        "log_timezone=UTC",
        "log_checkpoints=off",
        "log_autovacuum_min_duration=-1",
        // Failed statements and the details of a violated constraint show what people entered.
        "log_error_verbosity=terse",
        "log_min_error_statement=panic",
    ];

    private readonly EmbeddedFolder _folder;
    private readonly Supervised _server;

    private EmbeddedPostgres(EmbeddedFolder folder, Supervised server, string connectionString)
    {
        _folder = folder;
        _server = server;
        ConnectionString = connectionString;
    }

    public string ConnectionString { get; }

    /// <summary>Completes when the server has ended, by itself or because it was disposed of.</summary>
    public Task Exited => _server.Exited;

    /// <exception cref="StartupFault">The server cannot start; the message says why.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, CancellationToken ct)
    {
        var folder = EmbeddedFolder.Hold(options.Folder);
        try
        {
            return await StartAsync(folder, options, ct);
        }
        catch (IOException full) when (ServerLog.IsDiskFull(full))
        {
            folder.Dispose();
            throw ServerLog.DiskFull(folder.Path, full);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the database and all that is in it.</summary>
    /// <exception cref="StartupFault">A VTP is running on it.</exception>
    public static async Task ResetAsync(string vtpFolder, CancellationToken ct)
    {
        using var folder = EmbeddedFolder.Hold(vtpFolder);
        var data = DataDirectory.Locate(folder);
        await data.AwaitOrphanAsync(ct);
        await data.DeleteAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<EmbeddedPostgres> StartAsync(
        EmbeddedFolder folder, EmbeddedPostgresOptions options, CancellationToken ct)
    {
        var data = DataDirectory.Locate(folder);
        var binaries = await PostgresBinaries.FindAsync(options.BinFolder, data, ct);
        await data.PlaceAsync(ct);
        await data.SweepAsync(ct);
        data.RefuseFullDisk();
        await data.AwaitOrphanAsync(ct);
        data.ForgetDeadServer();
        folder.TurnLog();
        if (data.ReadMajor() is null)
        {
            await data.CreateAsync(binaries, ct);
        }

        var password = folder.ReadPassword();
        var run = await Supervised.MakeRunFolderAsync(ct);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = run,
            Port = Port,
            Database = Name,
            Username = Name,
            Password = password,
        };
        string[] settings = [.. Settings, $"unix_socket_directories={run}", .. options.ExtraSettings ?? []];
        var server = Supervised.Start(run, folder.Log,
            [binaries["postgres"], "-D", data.Path, .. settings.SelectMany(setting => new[] { "-c", setting })]);
        try
        {
            await ReadyAsync(server, data, folder, run, ct);
            await EnsureDatabaseAsync(connection, folder, ct);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return new EmbeddedPostgres(folder, server, connection.ConnectionString);
    }

    private static async Task ReadyAsync(
        Supervised server, DataDirectory data, EmbeddedFolder folder, string run, CancellationToken ct)
    {
        for (var start = Stopwatch.GetTimestamp(); !data.IsServedFrom(run); await Task.Delay(Tick, ct))
        {
            if (server.Exited.IsCompleted)
            {
                throw folder.Fault("PostgreSQL could not start");
            }

            if (Stopwatch.GetElapsedTime(start) > ReadyPatience)
            {
                throw folder.Fault($"PostgreSQL was not ready after {ReadyPatience.TotalSeconds:0} seconds");
            }
        }
    }

    private static async Task EnsureDatabaseAsync(
        NpgsqlConnectionStringBuilder application, EmbeddedFolder folder, CancellationToken ct)
    {
        var administrator = new NpgsqlConnectionStringBuilder(application.ConnectionString)
        {
            Database = Administrator,
            Username = Administrator,
            Pooling = false,
        };
        try
        {
            // Ends with its last connection, and is not among the pools that metrics list.
            await using var source = NpgsqlDataSource.Create(administrator);
            await using var connection = await source.OpenConnectionAsync(ct);

            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{Name}')";
            if (await command.ExecuteScalarAsync(ct) is true)
            {
                return;
            }

            // The application is no superuser, so that an injected statement cannot run programs or read files.
            command.CommandText = $"DROP ROLE IF EXISTS {Name}; " +
                $"CREATE ROLE {Name} LOGIN CREATEDB IN ROLE pg_monitor PASSWORD '{application.Password}'";
            await command.ExecuteNonQueryAsync(ct);
            command.CommandText = $"CREATE DATABASE {Name} OWNER {Name}";
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException refused)
        {
            throw new StartupFault($"PostgreSQL in {folder.Path} refused VTP: {refused.MessageText}.", refused);
        }
    }
}
