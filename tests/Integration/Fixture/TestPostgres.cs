using System.Diagnostics;
using Microsoft.AspNetCore.Mvc.Testing;
using Npgsql;
using Vtp.Infrastructure.Persistence.Embedded;

namespace Vtp.Integration.Fixture;

/// <summary>
/// One real PostgreSQL for the whole run, in a folder of its own, with one migrated database that every test class
/// copies. It ends with this process, however that ends.
/// </summary>
internal static class TestPostgres
{
    private static readonly Lazy<Task<EmbeddedPostgres>> Server = new(StartAsync);
    private static readonly Lazy<Task<string>> Template = new(MigrateTemplateAsync);

    /// <summary>A migrated database that nobody else uses.</summary>
    public static async Task<string> NewDatabaseAsync() => await NewDatabaseAsync(await Template.Value);

    /// <summary>A database without a schema.</summary>
    public static Task<string> NewEmptyDatabaseAsync() => NewDatabaseAsync("template1");

    private static async Task<string> NewDatabaseAsync(string template)
    {
        var server = await Server.Value;
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(With(server, "vtp", pooling: false));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE {template}", connection);
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                await create.ExecuteNonQueryAsync();
                return With(server, name, pooling: true);
            }
            catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.ObjectInUse && Stopwatch.GetElapsedTime(started).TotalSeconds < 30)
            {
                // Somebody else copies the template at this moment, or its last connection is being closed.
                await Task.Delay(20);
            }
        }
    }

    private static async Task<string> MigrateTemplateAsync()
    {
        var connectionString = await NewEmptyDatabaseAsync();
        await using (var factory = new WebApplicationFactory<Program>().WithWebHostBuilder(host => host
            .UseSetting("urls", "http://127.0.0.1:0")
            .UseSetting("ConnectionStrings:Vtp", connectionString)))
        {
            factory.UseKestrel(0);
            factory.StartServer();
        }

        // A database with an open connection cannot be copied, and a server that stops does not wait for the last of its own.
        var name = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await using var connection = new NpgsqlConnection(With(await Server.Value, "vtp", pooling: false));
        await connection.OpenAsync();
        await using var close = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", connection) { Parameters = { new() { Value = name } } };
        await close.ExecuteNonQueryAsync();
        return name;
    }

    private static Task<EmbeddedPostgres> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("vtp-test-").FullName;

        // The server's own user must be able to enter it, or the data would lie elsewhere and outlive this run.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        };

        // What tests commit may be lost in a power cut.
        return EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions(folder, ExtraSettings: ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=500", "shared_preload_libraries=pg_stat_statements"]),
            CancellationToken.None);
    }

    private static string With(EmbeddedPostgres server, string database, bool pooling) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = database, Pooling = pooling, MaxPoolSize = 60 }.ConnectionString;
}
