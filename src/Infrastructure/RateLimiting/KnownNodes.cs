using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vtp.Infrastructure.RateLimiting;

/// <param name="Name">Of this server among the schedulers of the installation; new with each start.</param>
internal sealed record NodeSign(string Name);

/// <summary>
/// How many nodes there are, this one included, as last heard: each leaves a sign of life in the tables of schedules. One that
/// stops makes its sign look old, so that who starts a server again has the whole of its limits. One that has died is counted for
/// three of those signs, for which its share is nobody's.
/// </summary>
internal sealed partial class KnownNodes(NpgsqlDataSource database, NodeSign own, TimeProvider clock, ILogger<KnownNodes> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    // By each other's signs and not by a clock: those of nodes and of the database differ. In .NET's ticks.
    private const string Alive = """
        SELECT count(*)::int FROM qrtz_scheduler_state
        WHERE last_checkin_time > (SELECT max(last_checkin_time) FROM qrtz_scheduler_state) - 450000000
        """;

    // By an hour, and not removed: other nodes take over at once what it had in hand, as they do of one that has died.
    private const string Gone = "UPDATE qrtz_scheduler_state SET last_checkin_time = last_checkin_time - 36000000000 WHERE instance_name = $1";

    private int _count = 1;

    public int Count => Volatile.Read(ref _count);

    /// <summary>After the schedules, which would renew it: services stop in the reverse of the order in which they began.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var command = database.CreateCommand(Gone);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = own.Name });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or OperationCanceledException)
        {
            // It looks like one that has died, then.
            LogStays(exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        do
        {
            try
            {
                await using var command = database.CreateCommand(Alive);
                Volatile.Write(ref _count, Math.Max(1, (int)(await command.ExecuteScalarAsync(stoppingToken))!));
            }
            catch (NpgsqlException exception)
            {
                // As many as before, then.
                LogUnknown(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The number of nodes could not be read")]
    private partial void LogUnknown(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "This node's sign of life stays behind")]
    private partial void LogStays(Exception exception);
}
