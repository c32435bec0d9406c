using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Realtime;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Realtime;

/// <summary>Reads the log of events for topics: all of it as it grows, and what one follower missed.</summary>
internal sealed class EventReader([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, TimeProvider clock)
{
    // As GET /events answers it: the same event is the same JSON.
    private const string Columns =
        """
        position, id, type, organization_id, project_id, json_build_object('id', id, 'type', type, 'event', type,
            'timestamp', rtrim(rtrim(to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z',
            'organization_id', organization_id, 'project_id', project_id, 'subject', subject,
            'actor', json_build_object('type', actor_type, 'id', actor_id), 'trace_id', trace_id, 'data', data)::text
        """;

    private const string Head = "SELECT epoch, position, dropped FROM event_log";
    private const string Grown = $"SELECT {Columns} FROM events WHERE position > $1 ORDER BY position LIMIT $2";

    // By their indexes, one topic after the other; one event in two of them is one row.
    private const string Missed =
        $"""
        SELECT DISTINCT ON (position) {Columns} FROM (
            (SELECT events.* FROM unnest($3) AS organization CROSS JOIN LATERAL (
                SELECT * FROM events WHERE organization_id = organization AND position > $1 AND position <= $2 ORDER BY position LIMIT $5) events)
            UNION ALL
            (SELECT events.* FROM unnest($4) AS project CROSS JOIN LATERAL (
                SELECT * FROM events WHERE project_id = project AND position > $1 AND position <= $2 ORDER BY position LIMIT $5) events)) found
        ORDER BY position LIMIT $5
        """;

    public async Task<(string Epoch, long Head, long Dropped)> LookAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Head);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    public async Task<List<(long Position, Publication Event)>> ReadAsync(long after, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(
            Grown, new NpgsqlParameter<long> { TypedValue = after }, new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(batch, cancellationToken);
    }

    /// <returns>Null when a part of it is not kept any more.</returns>
    public async Task<List<TopicMessage>?> ReadAsync(IReadOnlyList<string> topics, long after, long upTo, int limit, CancellationToken cancellationToken)
    {
        if ((await LookAsync(cancellationToken)).Dropped > after)
        {
            return null;
        }

        await using var batch = database.CreateSystemCommand(
            Missed,
            new NpgsqlParameter<long> { TypedValue = after },
            new NpgsqlParameter<long> { TypedValue = upTo },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. topics.Select(topic => TopicNames.OrganizationOf(topic)).OfType<Guid>()] },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. topics.Select(topic => TopicNames.ProjectOf(topic)).OfType<Guid>()] },
            new NpgsqlParameter<int> { TypedValue = limit });
        return (await ReadAsync(batch, cancellationToken)).ConvertAll(found => new TopicMessage(found.Event, found.Position, mark: null, clock.GetUtcNow()));
    }

    private static async Task<List<(long Position, Publication Event)>> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ReadAsync(cancellationToken);
        var events = new List<(long, Publication)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            events.Add((
                reader.GetInt64(0),
                new Publication(TopicNames.OfOrganization(reader.GetGuid(3)), reader.GetString(2), Encoding.UTF8.GetBytes(reader.GetString(5)))
                {
                    Id = reader.GetGuid(1),
                    AlsoIn = reader.IsDBNull(4) ? null : TopicNames.OfProject(reader.GetGuid(4)),
                }));
        }

        return events;
    }
}
