using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Infrastructure.Events;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Events;

/// <summary>A server with two more consumers of its events: one that notes them, and one that fails while a test says so.</summary>
public sealed class EventApi : VtpApi
{
    internal Noting Noted { get; private init; } = new("test noting");

    internal Noting Fragile { get; private init; } = new("test fragile");

    private string? _database;

    public async Task<EventApi> AnotherNodeAsync()
    {
        var node = new EventApi { Noted = Noted, Fragile = Fragile, Clock = Clock, _database = ConnectionString };
        await node.InitializeAsync();
        return node;
    }

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);

    protected override void Replace(IServiceCollection services)
    {
        services.AddSingleton<IEventConsumer>(Fragile);
        services.AddSingleton<IEventConsumer>(Noted);
    }

    internal sealed class Noting(string name) : IEventConsumer
    {
        public string Name => name;

        public ConcurrentQueue<(long Position, Guid Id)> Seen { get; } = new();

        public bool IsBroken { get; set; }

        public async Task ConsumeAsync(NpgsqlConnection connection, long after, long upTo, CancellationToken cancellationToken)
        {
            if (IsBroken)
            {
                throw new InvalidDataException("Broken on purpose.");
            }

            await using var command = new NpgsqlCommand("SELECT position, id FROM events WHERE position > $1 AND position <= $2 ORDER BY position", connection);
            command.Parameters.Add(new() { Value = after });
            command.Parameters.Add(new() { Value = upTo });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                Seen.Enqueue((reader.GetInt64(0), reader.GetGuid(1)));
            }
        }
    }
}
