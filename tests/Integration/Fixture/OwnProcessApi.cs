using Vtp.Application.Common;
using Vtp.Integration.Startup;

namespace Vtp.Integration.Fixture;

/// <summary>A server in a process of its own, as it is shipped. Nothing of it can be replaced, its log is not kept, and its clock is the system's.</summary>
public sealed class OwnProcessApi : VtpApi, IAsyncLifetime, IAsyncDisposable
{
    private readonly VtpFolder _folder = new();
    private RealServer? _server;
    private string? _database;

    /// <summary>The folder in which it keeps temporary files.</summary>
    public string Scratch => _folder.Path;

    /// <summary>On the database of another one.</summary>
    public static async Task<OwnProcessApi> BesideAsync(VtpApi first)
    {
        var own = new OwnProcessApi { _database = first.ConnectionString };
        await own.InitializeAsync();
        return own;
    }

    /// <summary>As a machine that fails: it says nothing to anybody.</summary>
    public async Task KillAsync()
    {
        await _server!.SignalAsync("KILL");
        await _server.ExitAsync();
    }

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);

    public override async Task StartAsync()
    {
        (string, string)[] limits =
        [
            .. RateLimitPolicies.Defaults.Keys.SelectMany(policy => new[] { ($"RateLimits__{policy}__Limit", "1000000"), ($"RateLimits__{policy}__Burst", "1000000") }),
        ];
        _server = await RealServer.ServeAsync(
            _folder, environment: [("ConnectionStrings__Vtp", ConnectionString), ("TMPDIR", Scratch), .. limits]);
        Url = _server.Http.BaseAddress!;
        Http = _server.Http;
    }

    public override async Task StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await ((IAsyncLifetime)_folder).DisposeAsync();
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await ((IAsyncLifetime)this).DisposeAsync();
}
