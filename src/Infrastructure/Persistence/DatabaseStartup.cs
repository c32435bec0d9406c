using System.Net.Sockets;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Persistence.Migrations;

namespace Vtp.Infrastructure.Persistence;

/// <summary>Brings the schema up to date before anything else runs, and says in one sentence why it cannot.</summary>
public static class DatabaseStartup
{
    public static async Task MigrateDatabaseAsync(this IServiceProvider services, CancellationToken cancellationToken)
    {
        var database = services.GetRequiredService<NpgsqlDataSource>();
        try
        {
            // Not by EF Core, which logs a server that is away with a stack trace, and wraps what it said.
            await RefuseBypassAsync(database, cancellationToken);

            // Nor this, which nearly every start finds: EF Core needs most of a second to begin.
            if (await IsUpToDateAsync(database, cancellationToken))
            {
                return;
            }

            await using var scope = services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<VtpDbContext>();

            // EF Core's own lock ends with each migration's transaction, and lets another node in between two of them.
            await using var alone = await database.OpenConnectionAsync(cancellationToken);
            await using var lockCommand = new NpgsqlCommand("SELECT pg_advisory_lock(hashtext('vtp migrations'))", alone) { CommandTimeout = 0 };
            await lockCommand.ExecuteNonQueryAsync(cancellationToken);

            var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
            await db.Database.OpenConnectionAsync(cancellationToken);
            var applied = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToList();
            if (applied.Find(id => !known.Contains(id)) is { } newer)
            {
                throw new StartupFault(
                    $"The database was migrated by a newer version of VTP ({newer} is unknown here). Start that version, or restore a backup from before.");
            }

            // A migration takes as long as the data is large, or as another node needs that does it just now.
            db.Database.SetCommandTimeout(TimeSpan.FromHours(1));
            await db.Database.MigrateAsync(cancellationToken);
            if (applied.Count > 0 && !applied.Contains(AuditEntryMarks.Id, StringComparer.Ordinal))
            {
                await services.GetRequiredService<AuditSealer>().SealUnmarkedAsync(cancellationToken);
            }

            await using var unlock = new NpgsqlCommand("SELECT pg_advisory_unlock(hashtext('vtp migrations'))", alone);
            await unlock.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (Sentence(exception, database.ConnectionString) is string sentence)
        {
            throw new StartupFault(sentence, exception);
        }
    }

    private static async Task<bool> IsUpToDateAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var missing = typeof(SqlMigration).Assembly.GetTypes().Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().ToHashSet(StringComparer.Ordinal);
        try
        {
            await using var command = database.CreateCommand($"SELECT \"MigrationId\" FROM \"{HistoryRepository.DefaultTableName}\"");
            await using var applied = await command.ExecuteReaderAsync(cancellationToken);
            while (await applied.ReadAsync(cancellationToken))
            {
                if (!missing.Remove(applied.GetString(0)))
                {
                    return false;
                }
            }

            return missing.Count == 0;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return false; // Nothing was ever migrated.
        }
    }

    /// <summary>A role that passes by row-level security, and cannot be made another one by <see cref="Connections"/>, would leave one wall of two.</summary>
    private static async Task RefuseBypassAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)");
        if (await command.ExecuteScalarAsync(cancellationToken) is string role)
        {
            throw new StartupFault($"User {role} may bypass row-level security, which keeps organizations apart. Take that away: ALTER ROLE {role} NOBYPASSRLS.");
        }
    }

    private static string? Sentence(Exception exception, string connectionString)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString);
        var where = $"PostgreSQL at {target.Host}, database {target.Database}";
        return exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                $"{where}: the user or password in ConnectionStrings__Vtp is wrong (user {target.Username}).",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
                $"{where}: there is no such database. Create it, or correct ConnectionStrings__Vtp.",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } =>
                $"{where}: user {target.Username} may not create tables. Make it the owner of the database.",
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } =>
                $"{where}: its disk is full. Make room and start again.",
            NpgsqlException { InnerException: SocketException or TimeoutException or IOException } or TimeoutException =>
                $"{where}: no answer: see that it is running, and that ConnectionStrings__Vtp is right.",
            PostgresException postgres => $"{where}: {postgres.MessageText} ({postgres.SqlState}).",
            NpgsqlException npgsql => $"{where}: {npgsql.Message.TrimEnd('.')}.",
            _ => null,
        };
    }
}
