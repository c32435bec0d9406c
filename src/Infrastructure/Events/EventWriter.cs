using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;
using Vtp.Domain.Events;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Events;

/// <summary>The events of one unit of work, from the entities that it saves to the log, in its own transaction.</summary>
internal sealed class EventWriter(ICaller caller, TimeProvider clock, EventWakes wakes)
{
    // Written behind the changes themselves: by then rows that two transactions want are locked, so that of one subject
    // the sequence has the order of the commits.
    private const string Insert =
        """
        INSERT INTO events (id, type, organization_id, project_id, subject, data, actor_type, actor_id, trace_id, traceparent, occurred_at)
        SELECT id, type, organization_id, project_id, subject, data::json, @actor_type, @actor_id, @trace_id, @traceparent, @now
        FROM unnest(@ids, @types, @organizations, @projects, @subjects, @data) WITH ORDINALITY
            AS added (id, type, organization_id, project_id, subject, data, place)
        ORDER BY place
        """;

    private readonly List<Event> _unsaved = [];
    private bool _isWritten;

    public bool IsEmpty => _unsaved.Count == 0;

    /// <param name="changes">Whose aggregates say what happened to them.</param>
    /// <param name="auditId">Of the entry in the trail that this save adds: the first event has the same id, so that either leads to the other.</param>
    public void Collect(ChangeTracker changes, Guid? auditId)
    {
        foreach (var entry in changes.Entries<Aggregate>())
        {
            foreach (var data in entry.Entity.TakeEvents())
            {
                _unsaved.Add(new Event(Uuid.NewVersion7(clock.GetUtcNow()), entry.Entity.Source(), EventCatalogue.TypeOf(data), EventCatalogue.Write(data)));
            }
        }

        if (auditId is { } id && _unsaved is [var first, ..])
        {
            _unsaved[0] = first with { Id = id };
        }
    }

    public void Forget() => _unsaved.Clear();

    public async Task WriteAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        Event[] events = [.. _unsaved];
        _unsaved.Clear();
        var (actorType, actorId) = caller.Actor();
        await database.ExecuteSqlRawAsync(
            Insert,
            [
                SqlArray.Of("ids", NpgsqlDbType.Uuid, events, one => one.Id),
                SqlArray.Of("types", NpgsqlDbType.Text, events, one => one.Type),
                SqlArray.Of("organizations", NpgsqlDbType.Uuid, events, one => one.Source.Organization.Value),
                SqlArray.Of("projects", NpgsqlDbType.Uuid, events, one => one.Source.Project?.Value),
                SqlArray.Of("subjects", NpgsqlDbType.Text, events, one => one.Source.Subject),
                SqlArray.Of("data", NpgsqlDbType.Text, events, one => one.Data),
                new NpgsqlParameter("now", NpgsqlDbType.TimestampTz) { Value = clock.GetUtcNow() },
                new NpgsqlParameter("actor_type", NpgsqlDbType.Text) { Value = actorType.ToString().ToLowerInvariant() },
                new NpgsqlParameter("actor_id", NpgsqlDbType.Uuid) { Value = (object?)actorId ?? DBNull.Value },
                new NpgsqlParameter("trace_id", NpgsqlDbType.Text) { Value = (object?)caller.TraceId ?? DBNull.Value },
                new NpgsqlParameter("traceparent", NpgsqlDbType.Text) { Value = (object?)TraceContext.Current ?? DBNull.Value },
            ],
            cancellationToken);
        _isWritten = true;
    }

    /// <summary>
    /// In this process alone: a notification inside the transaction would make all commits of all nodes wait for one lock.
    /// Should the process end here, any node finds the events within a second.
    /// </summary>
    public void Committed()
    {
        if (_isWritten)
        {
            _isWritten = false;
            wakes.Wake();
        }
    }

    private sealed record Event(Guid Id, EventSource Source, string Type, string Data);
}
