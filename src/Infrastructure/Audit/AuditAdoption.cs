using Npgsql;
using NpgsqlTypes;
using Vtp.Domain.Audit;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// Makes the chain of an organization that came from another server this one's: it goes on where it ended, its entries
/// are counted, and what retention had dropped there is signed here, for nobody here knows the other server's key. What
/// that one signed is held against its own key, by its own exports.
/// </summary>
internal sealed class AuditAdoption(AuditSigningKeys keys, TimeProvider clock)
{
    private const string Count =
        $"WITH counted_entries AS (SELECT {AuditCounts.Columns} FROM audit_entries WHERE organization_id = $1 AND sequence IS NOT NULL) {AuditCounts.Add}";

    private const string GoOn =
        """
        INSERT INTO audit_chains (organization_id, last_sequence, last_hash)
        SELECT organization_id, sequence, hash FROM audit_entries WHERE organization_id = $1 AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1
        """;

    private const string Gaps =
        """
        SELECT gap FROM unnest((SELECT int8multirange(int8range(1, max(sequence))) - range_agg(int8range(sequence, sequence + 1))
            FROM audit_entries WHERE organization_id = $1 AND sequence IS NOT NULL)) gap
        """;

    private const string Sign = "INSERT INTO audit_retentions (organization_id, jws, signed_at) VALUES ($1, $2, $3)";

    /// <param name="connection">With the transaction that has inserted the entries, and sees the organization.</param>
    /// <param name="organization">Whose entries they are.</param>
    /// <param name="cancellationToken">Of the request.</param>
    public async Task AdoptAsync(NpgsqlConnection connection, Guid organization, CancellationToken cancellationToken)
    {
        foreach (var sql in new[] { Count, GoOn })
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = organization } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        var gaps = await GapsAsync(connection, organization, cancellationToken);
        if (gaps.Count > 0)
        {
            var now = clock.GetUtcNow();
            var jws = keys.Sign(AuditSignature.RetentionType, new AuditRetention(organization, gaps, now).ToPayload());
            await using var command = new NpgsqlCommand(Sign, connection)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = organization },
                    new NpgsqlParameter<string> { TypedValue = jws },
                    new NpgsqlParameter<DateTime> { TypedValue = now.UtcDateTime },
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task<List<AuditRange>> GapsAsync(NpgsqlConnection connection, Guid organization, CancellationToken cancellationToken)
    {
        var gaps = new List<AuditRange>();
        await using var command = new NpgsqlCommand(Gaps, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = organization } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            // PostgreSQL writes ranges of integers with their end left out.
            var gap = reader.GetFieldValue<NpgsqlRange<long>>(0);
            gaps.Add(new AuditRange(gap.LowerBound, gap.UpperBound - 1));
        }

        return gaps;
    }
}
