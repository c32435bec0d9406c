using Npgsql;
using NpgsqlTypes;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Infrastructure.Rooms;

/// <summary>Statements about rooms of one organization. Those of the installation itself have one too, which no scope enters.</summary>
internal static class RoomSql
{
    public static NpgsqlBatch Scoped(this NpgsqlDataSource database, OrganizationId organization)
    {
        var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('vtp.tenants', $1, true)") { Parameters = { Text($"{{{organization}}}") } });
        return batch;
    }

    public static NpgsqlBatch Scoped(this NpgsqlDataSource database, OrganizationId organization, string sql, params NpgsqlParameter[] parameters)
    {
        var batch = database.Scoped(organization);
        Add(batch, sql, parameters);
        return batch;
    }

    public static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    public static NpgsqlParameter<Guid> Id(Guid id) => new() { TypedValue = id };

    public static NpgsqlParameter Ids(Guid[] ids) => new() { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    public static NpgsqlParameter<string?> Text(string? text) => new() { TypedValue = text };

    public static NpgsqlParameter<bool> Flag(bool value) => new() { TypedValue = value };

    public static NpgsqlParameter<int> Number(int value) => new() { TypedValue = value };

    public static NpgsqlParameter<DateTimeOffset> Time(DateTimeOffset value) => new() { TypedValue = value };
}
