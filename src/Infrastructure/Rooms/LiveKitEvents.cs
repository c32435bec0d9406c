using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Rooms.LiveKit;
using Vtp.Domain.Rooms.LiveKit;

namespace Vtp.Infrastructure.Rooms;

/// <summary>The primary key decides between two deliveries at once: the second waits for the first, and stores nothing.</summary>
internal sealed class LiveKitEvents(NpgsqlDataSource database, TimeProvider clock) : ILiveKitEvents
{
    public async Task KeepAsync(LiveKitEvent received, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "INSERT INTO livekit_events (id, event, room_name, body, created_at, received_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = received.Id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = received.Event });
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = received.RoomName });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = received.Json, NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset?> { TypedValue = received.CreatedAt });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
