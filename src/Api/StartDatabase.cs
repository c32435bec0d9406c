using Npgsql;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Persistence.Embedded;

namespace Vtp.Api;

internal static class StartDatabase
{
    /// <summary>With ConnectionStrings__Vtp set, no embedded server is started, stopped or deleted.</summary>
    public static async Task<EmbeddedPostgres?> EmbeddedUnlessConfiguredAsync(StartOptions options, IConfiguration configuration)
    {
        if (configuration.GetConnectionString("Vtp") is { } configured && !string.IsNullOrWhiteSpace(configured))
        {
            Check(configured);
            return options.Reset
                ? throw new StartupFault("--reset deletes the embedded database only, and ConnectionStrings__Vtp names another: empty that one yourself.")
                : null;
        }

        if (options.Reset)
        {
            await EmbeddedPostgres.ResetAsync(options.Folder, CancellationToken.None);
        }

        var database = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions(options.Folder, configuration["VTP_POSTGRES_BIN"]), CancellationToken.None);
        configuration["ConnectionStrings:Vtp"] = database.ConnectionString;
        return database;
    }

    private static void Check(string connectionString)
    {
        if (!NamesHost(connectionString))
        {
            throw new StartupFault("ConnectionStrings__Vtp cannot be read: it looks like Host=db.example.com;Database=vtp;Username=vtp;Password=secret.");
        }
    }

    private static bool NamesHost(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString).Host is not null;
        }
        catch (ArgumentException)
        {
            // What the exception says may quote the password; that it cannot be read is enough.
            return false;
        }
    }
}
