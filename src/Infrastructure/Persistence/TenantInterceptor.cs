using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Organizations;

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
        command.Parameters.Add(new NpgsqlParameter("vtp_tenants", NpgsqlDbType.Text) { Value = scope.IsSystem ? "*" : ArrayOf(scope.Organizations) });
        command.Parameters.Add(new NpgsqlParameter("vtp_project", NpgsqlDbType.Text) { Value = scope.Project?.ToString() ?? "" });
    }

    private static TenantScope? ScopeOf(CommandEventData eventData) =>
        eventData.Context is VtpDbContext { Tenant: { IsEmpty: false } scope } ? scope : null;

    private static string ArrayOf(OrganizationId[] organizations) => $"{{{string.Join(',', organizations)}}}";
}

internal static class SystemCommands
{
    /// <summary>A statement of the server's own work, which sees every organization. One round trip.</summary>
    public static NpgsqlBatch CreateSystemCommand(this NpgsqlDataSource database, string sql, params NpgsqlParameter[] parameters)
    {
        var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('vtp.tenants', '*', true)"));
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
