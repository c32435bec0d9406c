using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vtp.Application;
using Vtp.Application.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Realtime.Dashboard;
using Vtp.Infrastructure.Sessions;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Benchmarks.Micro;

/// <summary>What knowing the caller costs a request, with the real keys and the real list of ended sessions.</summary>
public class TokenBenchmarks
{
    private const int Tokens = 1024;

    private readonly string[] _tokens = new string[Tokens];
    private TemporaryPostgres _database = null!;
    private ServiceProvider _services = null!;
    private AccessTokens _warm = null!;
    private AccessTokens _cold = null!;

    // BenchmarkDotNet's in-process toolchain calls these two and does not wait for them.
    [GlobalSetup]
    public void Start() => StartAsync().GetAwaiter().GetResult();

    [GlobalCleanup]
    public void Stop() => StopAsync().GetAwaiter().GetResult();

    // One that has seen no token yet.
    [IterationSetup(Target = nameof(FirstCheckAsync))]
    public void Forget() => _cold = NewReader();

    [Benchmark(Description = "access token, steady state")]
    public ValueTask<SignedInAs?> SteadyStateAsync() => _warm.ReadAsync(_tokens[0], CancellationToken.None);

    [Benchmark(Description = "access token, first check", OperationsPerInvoke = Tokens)]
    public async Task<SignedInAs?> FirstCheckAsync()
    {
        SignedInAs? last = null;
        foreach (var token in _tokens)
        {
            last = await _cold.ReadAsync(token, CancellationToken.None);
        }

        return last;
    }

    private async Task StartAsync()
    {
        _database = await TemporaryPostgres.StartAsync(CancellationToken.None);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Vtp", _database.ConnectionString)]).Build();
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IConfiguration>(configuration)
            .AddApplication()
            .AddInfrastructure(configuration, _database.Folder, _ => new Uri("http://localhost"))
            .BuildServiceProvider();
        await _services.MigrateDatabaseAsync(CancellationToken.None);
        await _services.GetRequiredService<SigningKeys>().StartAsync(CancellationToken.None);
        await _services.GetRequiredService<EndedSessions>().StartAsync(CancellationToken.None);

        _warm = NewReader();
        var account = Account.Register(EmailAddress.Parse("person@school.example"), "Noor Example", null, Role.Student, "", DateTimeOffset.UtcNow);
        for (var index = 0; index < Tokens; index++)
        {
            _tokens[index] = _warm.Issue(account, Session.Start(account.Id, ["pwd"], null, null, DateTimeOffset.UtcNow));
        }

        _ = await SteadyStateAsync() ?? throw new InvalidOperationException("The token was refused.");
    }

    private async Task StopAsync()
    {
        await _services.GetRequiredService<EndedSessions>().StopAsync(CancellationToken.None);
        await _services.GetRequiredService<SigningKeys>().StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        await _database.DisposeAsync();
    }

    private AccessTokens NewReader() => new(
        _services.GetRequiredService<SigningKeys>(),
        _services.GetRequiredService<IOptions<TokenOptions>>(),
        _services.GetRequiredService<EndedSessions>(),
        _services.GetRequiredService<SeenAccounts>(),
        TimeProvider.System);
}
