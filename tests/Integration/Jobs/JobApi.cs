using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Jobs;

/// <summary>A server that knows the jobs of the tests.</summary>
public sealed class JobApi : VtpApi
{
    private string? _database;

    public Runs Runs { get; private init; } = new();

    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(20);

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Jobs:Drain", Drain.ToString("c"))];

    public static async Task<JobApi> StartNewAsync(TimeSpan? drain = null)
    {
        var api = new JobApi { Drain = drain ?? TimeSpan.FromSeconds(20) };
        await api.InitializeAsync();
        return api;
    }

    /// <summary>Another node on this one's database, with the same work to do.</summary>
    public async Task<JobApi> AnotherNodeAsync()
    {
        var node = new JobApi { Runs = Runs, Clock = Clock, _database = ConnectionString };
        await node.InitializeAsync();
        return node;
    }

    public Task EnqueueAsync(params ICommand<Done>[] commands) => EnqueueAsync(organization: null, commands);

    public Task EnqueueAsync(Guid? organization, params ICommand<Done>[] commands) =>
        InScopeAsync(
            async db =>
            {
                foreach (var command in commands)
                {
                    db.Enqueue(command);
                }

                await db.SaveChangesAsync();
            },
            organization);

    internal async Task InScopeAsync(Func<VtpDbContext, Task> work, Guid? organization = null)
    {
        await using var scope = Service<IServiceScopeFactory>().CreateAsyncScope();
        if (organization is { } entered)
        {
            scope.ServiceProvider.GetRequiredService<TenantScope>().Enter(new OrganizationId(entered), project: null, auditRetentionDays: 365);
        }

        await work(scope.ServiceProvider.GetRequiredService<VtpDbContext>());
    }

    public Task<long> CountAsync(string table = "jobs") => QueryAsync<long>($"SELECT count(*) FROM {table}");

    public Task EmptyAsync() => UntilAsync(async () => await CountAsync() == 0, "every job to be done");

    /// <summary>One value of the job with this name in its payload.</summary>
    public Task<T?> OfJobAsync<T>(string name, string column, string table = "jobs") =>
        QueryAsync<T>($"SELECT {column} FROM {table} WHERE payload ->> 'Name' = $1", name);

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);

    protected override void Replace(IServiceCollection services)
    {
        services.AddUseCases(typeof(TestJobsHandler));
        services.AddSingleton(Runs);
        services.AddSingleton<Node>();
    }
}
