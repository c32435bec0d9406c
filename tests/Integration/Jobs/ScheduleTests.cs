using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Jobs.Schedules;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>A schedule ticks once on however many nodes, and enqueues; it is the queue that works.</summary>
public sealed class ScheduleTests
{
    [Fact]
    public async Task Two_nodes_tick_once_a_second_together()
    {
        await using var nodes = new Nodes();
        var first = await nodes.StartAsync(null);
        await first.QueryAsync<int>(
            """
            CREATE TABLE ticks (key text);
            CREATE FUNCTION note_tick() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ticks VALUES (NEW.unique_key); RETURN NULL; END $$;
            CREATE TRIGGER note_tick AFTER INSERT OR UPDATE OF run_at ON jobs FOR EACH ROW WHEN (NEW.kind = 'test.tick') EXECUTE FUNCTION note_tick();
            """);
        var second = await nodes.StartAsync(first.ConnectionString);
        await VtpApi.UntilAsync(async () => await first.QueryAsync<long>("SELECT count(*) FROM qrtz_scheduler_state") >= 2, "both nodes to be known");
        await first.QueryAsync<int>("TRUNCATE ticks");

        await VtpApi.UntilAsync(async () => await first.QueryAsync<long>("SELECT count(*) FROM ticks") >= 5, "five ticks");

        (await first.QueryAsync<long>("SELECT max(times) FROM (SELECT count(*) AS times FROM ticks GROUP BY key) ticks")).Should().Be(1, "one of the nodes sees to a tick");
        await VtpApi.UntilAsync(() => first.Runs > 0 || second.Runs > 0, "the job of a tick");
    }

    [Fact]
    public async Task A_changed_schedule_is_brought_up_to_date_and_one_that_did_not_change_is_left_alone()
    {
        await using var nodes = new Nodes();
        var first = await nodes.StartAsync(null, "0 0 0 1 1 ? 2090");
        await VtpApi.UntilAsync(async () => await CronAsync(first) == "0 0 0 1 1 ? 2090", "the schedule");
        await first.QueryAsync<int>("UPDATE qrtz_triggers SET trigger_state = 'PAUSED' WHERE trigger_name = 'test.tick'");
        await first.StopAsync();
        await first.StartAsync();
        await VtpApi.UntilAsync(async () => await first.QueryAsync<long>("SELECT count(*) FROM qrtz_scheduler_state") >= 1, "the node to be back");
        (await first.QueryAsync<string>("SELECT trigger_state FROM qrtz_triggers WHERE trigger_name = 'test.tick'")).Should().Be("PAUSED");

        await nodes.StartAsync(first.ConnectionString, "0 0 0 1 1 ? 2091");
        await VtpApi.UntilAsync(async () => await CronAsync(first) == "0 0 0 1 1 ? 2091", "the changed schedule");
    }

    private static Task<string?> CronAsync(Api api) => api.QueryAsync<string>("SELECT cron_expression FROM qrtz_cron_triggers WHERE trigger_name = 'test.tick'");

    public sealed class Api : VtpApi
    {
        private int _runs;

        public string? Shared { get; init; }

        public string Cron { get; init; } = "* * * * * ?";

        public int Runs => Volatile.Read(ref _runs);

        public void Ran() => Interlocked.Increment(ref _runs);

        protected override Task<string> DatabaseAsync() => Shared is null ? base.DatabaseAsync() : Task.FromResult(Shared);

        protected override void Replace(IServiceCollection services)
        {
            services.AddUseCases(typeof(TickHandler));
            services.AddSingleton(this);
            services.AddSingleton(new Schedule(Cron, "Europe/Berlin", () => new TickCommand()));
        }
    }

    [Job("test.tick")]
    [Requires(Permission.Anyone)]
    public sealed record TickCommand : ICommand<Done>;

    internal sealed class TickHandler(Api api) : IRequestHandler<TickCommand, Result<Done>>
    {
        public Task<Result<Done>> Handle(TickCommand request, CancellationToken cancellationToken)
        {
            api.Ran();
            return Task.FromResult<Result<Done>>(Done.Value);
        }
    }

    private sealed class Nodes : List<Api>, IAsyncDisposable
    {
        public async Task<Api> StartAsync(string? database, string cron = "* * * * * ?")
        {
            var api = new Api { Shared = database, Cron = cron };
            await api.InitializeAsync();
            Add(api);
            return api;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in this)
            {
                await node.DisposeAsync();
            }
        }
    }
}
