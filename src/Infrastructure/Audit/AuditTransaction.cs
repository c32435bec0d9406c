using System.Data;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Audit;

/// <summary>A transaction beneath EF Core that sees what its scope may see; without a commit it leaves nothing.</summary>
internal sealed class AuditTransaction : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private AuditTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <summary>The server's own work, which sees every organization.</summary>
    public static Task<AuditTransaction> BeginAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var everything = new TenantScope();
        everything.EnterSystem();
        return BeginAsync(database, everything, IsolationLevel.ReadCommitted, cancellationToken);
    }

    public static async Task<AuditTransaction> BeginAsync(
        NpgsqlDataSource database, TenantScope scope, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var begun = new AuditTransaction(connection, await connection.BeginTransactionAsync(isolation, cancellationToken));
            await begun.RunAsync(
                ScopedCommands.SetByPosition,
                cancellationToken,
                new NpgsqlParameter<string> { TypedValue = scope.Tenants },
                new NpgsqlParameter<string> { TypedValue = scope.Project?.ToString() ?? "" });
            return begun;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public NpgsqlCommand Command(string sql, params NpgsqlParameter[] parameters)
    {
#pragma warning disable CA2100 // Constants, and lists of columns and conditions that are made of constants.
        var command = new NpgsqlCommand(sql, _connection, _transaction);
#pragma warning restore CA2100
        command.Parameters.AddRange(parameters);
        return command;
    }

    public async Task<int> RunAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<T?> ReadAsync<T>(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
