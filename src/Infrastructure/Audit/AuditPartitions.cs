using Npgsql;
using Vtp.Application.Tenancy;

namespace Vtp.Infrastructure.Audit;

internal sealed class AuditPartitions(NpgsqlDataSource database) : IAuditPartitions
{
    public async Task PrepareAsync(int retentionDays, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT audit_prepare_partitions($1)");
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = retentionDays });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
