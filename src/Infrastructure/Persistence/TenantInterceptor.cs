using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Persistence;

/// <summary>
/// Tells PostgreSQL whose rows a command may see, in the command's own round trip: a statement in front of it sets
/// <c>vtp.tenants</c> and <c>vtp.project</c> for the transaction, which without BEGIN is just this command, so that a
/// pooled connection keeps nothing of it. Commands of requests without a scope go as they are, and see no tenant's rows.
/// </summary>
internal sealed class TenantInterceptor : DbCommandInterceptor
{
    internal const string Set = "SELECT set_config('vtp.tenants', @vtp_tenants, true), set_config('vtp.project', @vtp_project, true);";

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Scope(command, eventData);
        return ValueTask.FromResult(result);
    }

    public override async ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default) =>
        ScopeOf(eventData) is null ? result : await result.SkipSettingAsync(cancellationToken);

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Scope(command, eventData);
        return ValueTask.FromResult(result);
    }

    private static void Scope(DbCommand command, CommandEventData eventData)
    {
        if (ScopeOf(eventData) is not { } scope)
        {
            return;
        }

#pragma warning disable CA2100 // Puts a constant before what EF Core generated.
        command.CommandText = Set + command.CommandText;
#pragma warning restore CA2100
        command.Parameters.Add(new NpgsqlParameter("vtp_tenants", NpgsqlDbType.Text) { Value = scope.Tenants });
        command.Parameters.Add(new NpgsqlParameter("vtp_project", NpgsqlDbType.Text) { Value = scope.Project?.ToString() ?? "" });
    }

    private static TenantScope? ScopeOf(CommandEventData eventData) =>
        eventData.Context is VtpDbContext { Tenant: { IsEmpty: false } scope } ? scope : null;
}

internal static class ScopedCommands
{
    internal const string SetSystem = "SELECT set_config('vtp.tenants', '*', true)";

    internal const string SetByPosition = "SELECT set_config('vtp.tenants', $1, true), set_config('vtp.project', $2, true)";

    private const string SetForIndexOrder =
        SetByPosition + ", set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true), "
        + "set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), "
        + "set_config('jit', 'off', true)"; // What is turned off counts as dear, and what is dear is compiled.

    extension(TenantScope scope)
    {
        /// <summary>As <c>vtp.tenants</c> takes it.</summary>
        public string Tenants => scope.IsSystem ? "*" : $"{{{string.Join(',', scope.Organizations)}}}";
    }

    /// <summary>A statement beneath EF Core that sees what the request may see. One round trip.</summary>
    /// <param name="database">Where it runs.</param>
    /// <param name="scope">Of the request.</param>
    /// <param name="sql">One statement.</param>
    /// <param name="inIndexOrder">
    /// Its parts are so small that sorting looks cheap to a planner who takes filters for independent; it may not, and
    /// reads in the order of an index, which is right however many rows there turn out to be.
    /// </param>
    /// <param name="parameters">Of the statement, by position.</param>
    public static NpgsqlBatch CreateScopedCommand(
        this NpgsqlDataSource database, TenantScope scope, string sql, bool inIndexOrder, params NpgsqlParameter[] parameters)
    {
        var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(inIndexOrder ? SetForIndexOrder : SetByPosition)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = scope.Tenants },
                new NpgsqlParameter<string> { TypedValue = scope.Project?.ToString() ?? "" },
            },
        });
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
        return batch;
    }

    /// <summary>A statement of the server's own work, which sees every organization. One round trip.</summary>
    public static NpgsqlBatch CreateSystemCommand(this NpgsqlDataSource database, string sql, params NpgsqlParameter[] parameters)
    {
        var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SetSystem));
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
        return batch;
    }

    /// <summary>Reads what the statement answers, past the setting in front of it.</summary>
    public static async Task<NpgsqlDataReader> ReadAsync(this NpgsqlBatch batch, CancellationToken cancellationToken) =>
        await (await batch.ExecuteReaderAsync(cancellationToken)).SkipSettingAsync(cancellationToken);

    /// <summary>What fails in the statement itself fails here, and must not leave its connection busy.</summary>
    internal static async ValueTask<TReader> SkipSettingAsync<TReader>(this TReader reader, CancellationToken cancellationToken)
        where TReader : DbDataReader
    {
        try
        {
            await reader.NextResultAsync(cancellationToken);
            return reader;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }
}
