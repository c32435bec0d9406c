using System.Text.Json;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Application.Events;
using Vtp.Domain.Audit;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Events;

/// <summary>Reads the log in the scope of the request.</summary>
internal sealed class EventLog(NpgsqlDataSource database, TenantScope scope) : IEventLog
{
    // Of events that are looked for by type, so many are looked at before the reader is told how far that came.
    private const int Scanned = 5000;

    private static readonly string OfOrganization = EventStatements.Read(isOfProject: false);
    private static readonly string OfProject = EventStatements.Read(isOfProject: true);

    public async Task<EventStretch> ReadAsync(long after, IReadOnlyList<string>? types, Guid? project, int limit, CancellationToken cancellationToken)
    {
        var narrowed = scope.Project?.Value ?? project;
        var scanned = types is null ? limit : Scanned;
        await using var batch = database.CreateScopedCommand(
            scope,
            narrowed is null ? OfOrganization : OfProject,
            inIndexOrder: true,
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(scope.Organizations, organization => organization.Value) },
            new NpgsqlParameter<long> { TypedValue = after },
            new NpgsqlParameter<int> { TypedValue = limit },
            new NpgsqlParameter<string[]?> { TypedValue = types?.ToArray() },
            new NpgsqlParameter<int> { TypedValue = scanned },
            new NpgsqlParameter<Guid?> { TypedValue = narrowed });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var events = new List<EventView>();
        var (looked, last, head, dropped, position) = (0L, 0L, 0L, 0L, 0L);
        while (await reader.ReadAsync(cancellationToken))
        {
            (looked, last, head, dropped) = (reader.GetInt64(0), reader.IsDBNull(1) ? after : reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
            if (!reader.IsDBNull(4))
            {
                (var view, position) = Read(reader, 4);
                events.Add(view);
            }
        }

        return events.Count == limit ? new EventStretch(events, position, looked > limit || looked == scanned, dropped)
            : looked == scanned ? new EventStretch(events, last, IsMore: true, dropped)
            : new EventStretch(events, Math.Max(head, after), IsMore: false, dropped);
    }

    public async Task<(EventView Event, long Position)?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateScopedCommand(
            scope,
            EventStatements.Find,
            inIndexOrder: false,
            new NpgsqlParameter<Guid> { TypedValue = id },
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(scope.Organizations, organization => organization.Value) },
            new NpgsqlParameter<Guid?> { TypedValue = scope.Project?.Value });
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader, 0) : null;
    }

    /// <summary>Columns of <see cref="EventStatements.Columns"/> from this one on.</summary>
    internal static (EventView Event, long Position) Read(NpgsqlDataReader reader, int first)
    {
        var type = reader.GetString(first + 1);
        return (
            new EventView(
                reader.GetGuid(first),
                type,
                type,
                reader.GetFieldValue<DateTimeOffset>(first + 9),
                reader.GetGuid(first + 2),
                reader.IsDBNull(first + 3) ? null : reader.GetGuid(first + 3),
                reader.GetString(first + 4),
                new EventActor(
                    Enum.Parse<ActorType>(reader.GetString(first + 6), ignoreCase: true), reader.IsDBNull(first + 7) ? null : reader.GetGuid(first + 7)),
                reader.IsDBNull(first + 8) ? null : reader.GetString(first + 8),
                JsonElement.Parse(reader.GetString(first + 5))),
            reader.GetInt64(first + 10));
    }
}
