using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vtp.Infrastructure.Jobs;

/// <summary>Tells this node's worker that there may be something to do. Many calls before it looks are one.</summary>
internal sealed class JobWakes
{
    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Wake() => _wakes.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken cancellationToken) => await _wakes.Reader.ReadAsync(cancellationToken);
}

/// <summary>Hears of new jobs as they are committed. While it cannot, jobs are found each second.</summary>
internal sealed partial class JobListener(NpgsqlDataSource database, JobWakes wakes, ILogger<JobListener> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // A connection that fell silent looks like one on which nothing happens.
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or TimeoutException)
            {
                LogDeaf(exception);
                await Task.Delay(Pause, stoppingToken);
            }
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, _) => wakes.Wake();
        await ExecuteAsync(connection, "LISTEN vtp_jobs", cancellationToken);

        // What was committed while nobody listened.
        wakes.Wake();
        try
        {
            while (true)
            {
                if (!await connection.WaitAsync(Doubt, cancellationToken))
                {
                    await ExecuteAsync(connection, "SELECT 1", cancellationToken);
                }
            }
        }
        finally
        {
            // It goes back to the pool, where nothing of this may stay.
            if (connection.FullState == System.Data.ConnectionState.Open)
            {
                await ExecuteAsync(connection, "UNLISTEN vtp_jobs", CancellationToken.None);
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // One of three constants.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "New jobs are not heard of; looking for them each second")]
    private partial void LogDeaf(Exception exception);
}
