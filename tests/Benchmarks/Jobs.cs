using System.Diagnostics;
using System.Globalization;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Vtp.Application;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Benchmarks;

/// <summary>The queue of jobs on a PostgreSQL of its own, with jobs that do nothing, through the whole pipeline.</summary>
internal static class Jobs
{
    private const int Count = 50_000;
    private const int PerTransaction = 100;
    private const int Writers = 8;
    private const int Starts = 300;
    private const int Parts = 20;
    private const int PerPart = 50_000;

    public static async Task RunAsync(CancellationToken ct)
    {
        await using var database = await TemporaryPostgres.StartAsync(ct);
        var done = new Finished();
        using var node = Node(database, done);
        await node.Services.MigrateDatabaseAsync(ct);
        Say("| | jobs/s | p50 ms | p99 ms |");
        Say("|---|---:|---:|---:|");

        // Nothing runs them yet.
        var (each, many) = (Count / 10, Count - (Count / 10));
        Say($"| enqueued, one a transaction, {Writers} writers | {each / await EnqueueAsync(node, each, 1):#,0} | | |");
        Say($"| enqueued, {PerTransaction} a transaction, {Writers} writers | {many / await EnqueueAsync(node, many, PerTransaction):#,0} | | |");

        var started = Stopwatch.GetTimestamp();
        await node.StartAsync(ct);
        await done.UntilAsync(Count, ct);
        Say($"| run, one node | {Count / Stopwatch.GetElapsedTime(started).TotalSeconds:#,0} | | |");

        started = Stopwatch.GetTimestamp();
        await EnqueueAsync(node, Count, PerTransaction);
        await done.UntilAsync(2 * Count, ct);
        Say($"| enqueued and run at the same time | {Count / Stopwatch.GetElapsedTime(started).TotalSeconds:#,0} | | |");

        var waits = new List<double>();
        for (var start = 0; start < Starts; start++)
        {
            var asked = Stopwatch.GetTimestamp();
            await EnqueueAsync(node, 1, 1);
            waits.Add(Stopwatch.GetElapsedTime(asked, await done.UntilAsync((2 * Count) + start + 1, ct)).TotalMilliseconds);
        }

        waits.Sort();
        Say($"| from the begin of enqueueing to the end of the run, idle | | {waits[Starts / 2]:0.0} | {waits[Starts * 99 / 100]:0.0} |");
        await SizesAsync(node, done, (2 * Count) + Starts);
        await node.StopAsync(CancellationToken.None);
    }

    /// <summary>What a million jobs leave of the table.</summary>
    private static async Task SizesAsync(IHost node, Finished done, int ran)
    {
        Say("\n| the empty table | MB | its indexes, MB |");
        Say("|---|---:|---:|");
        await SayAsync(ran);
        for (var part = 1; part <= Parts; part++)
        {
            await EnqueueAsync(node, PerPart, PerTransaction * 10);
            await done.UntilAsync(ran + (part * PerPart), CancellationToken.None);
            if (part % (Parts / 5) == 0)
            {
                await SayAsync(ran + (part * PerPart));
            }
        }

        async Task SayAsync(int jobs)
        {
            await using var size = node.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("SELECT pg_table_size('jobs') / 1048576.0, pg_indexes_size('jobs') / 1048576.0");
            await using var reader = await size.ExecuteReaderAsync();
            await reader.ReadAsync();
            Say($"| after {jobs:#,0} jobs | {reader.GetDecimal(0):0.0} | {reader.GetDecimal(1):0.0} |");
        }
    }

    private static IHost Node(TemporaryPostgres database, Finished done)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:Vtp", database.ConnectionString)]);
        builder.Services.AddApplication();
        builder.Services.AddInfrastructure(builder.Configuration, database.Folder, _ => new Uri("http://localhost"));
        builder.Services.AddUseCases(typeof(NothingHandler));
        builder.Services.AddScoped<ICaller, Server>();
        builder.Services.AddSingleton(done);
        return builder.Build();
    }

    /// <returns>Seconds.</returns>
    private static async Task<double> EnqueueAsync(IHost node, int count, int perTransaction)
    {
        var (started, left) = (Stopwatch.GetTimestamp(), count / perTransaction);
        await Task.WhenAll(Enumerable.Range(0, Math.Min(Writers, left)).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await using var scope = node.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<IVtpDb>();
                for (var job = 0; job < perTransaction; job++)
                {
                    db.Enqueue(new NothingCommand());
                }

                await db.SaveChangesAsync();
            }
        })));
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Say(FormattableString line) => Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static void Say(string line) => Console.Out.WriteLine(line);

    internal sealed class Finished
    {
        private readonly Lock _lock = new();
        private int _count;
        private int _goal = -1;
        private TaskCompletionSource<long> _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Add()
        {
            lock (_lock)
            {
                if (++_count == _goal)
                {
                    _reached.SetResult(Stopwatch.GetTimestamp());
                }
            }
        }

        /// <returns>When it happened.</returns>
        public Task<long> UntilAsync(int count, CancellationToken ct)
        {
            lock (_lock)
            {
                if (_count >= count)
                {
                    return Task.FromResult(Stopwatch.GetTimestamp());
                }

                (_goal, _reached) = (count, new(TaskCreationOptions.RunContinuationsAsynchronously));
                return _reached.Task.WaitAsync(ct);
            }
        }
    }

    private sealed class Server : ICaller
    {
        public SignedInAs? SignedIn => null;

        public ProjectKey? Key => null;

        public TrackerCredential? Tracker => null;

        public Refusal? Rejected => null;

        public bool IsOperator => false;

        public bool IsSystem => true;

        public string? IpAddress => null;

        public string? UserAgent => null;

        public string? TraceId => null;

        public string? IdempotencyKey => null;
    }
}

[Job("bench.nothing")]
[Requires(Permission.Anyone)]
internal sealed record NothingCommand : ICommand<Done>;

internal sealed class NothingHandler(Jobs.Finished done) : IRequestHandler<NothingCommand, Result<Done>>
{
    public Task<Result<Done>> Handle(NothingCommand request, CancellationToken cancellationToken)
    {
        done.Add();
        return Task.FromResult<Result<Done>>(Done.Value);
    }
}
