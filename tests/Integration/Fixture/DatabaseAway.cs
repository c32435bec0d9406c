using Npgsql;

namespace Vtp.Integration.Fixture;

/// <summary>Nobody gets into this server's database until it is disposed of.</summary>
internal sealed class DatabaseAway : IAsyncDisposable
{
    private readonly VtpApi _api;

    private DatabaseAway(VtpApi api) => _api = api;

    public static async Task<DatabaseAway> FromAsync(VtpApi api)
    {
        await ExecuteAsync(api, "ALTER DATABASE {0} ALLOW_CONNECTIONS false");
        await BreakConnectionsAsync(api);
        return new DatabaseAway(api);
    }

    public static Task BreakConnectionsAsync(VtpApi api) =>
        ExecuteAsync(api, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{0}'");

    public async ValueTask DisposeAsync() => await ExecuteAsync(_api, "ALTER DATABASE {0} ALLOW_CONNECTIONS true");

    private static async Task ExecuteAsync(VtpApi api, string sql)
    {
        var target = new NpgsqlConnectionStringBuilder(api.ConnectionString);
        var database = target.Database!;
        (target.Database, target.Pooling) = ("postgres", false);
        await using var connection = new NpgsqlConnection(target.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, database), connection);
        await command.ExecuteNonQueryAsync();
    }
}
