using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Infrastructure.Passwords;

namespace Vtp.Integration.Fixture;

/// <summary>
/// The real server on a real port and a database of its own. Limits are out of the way unless a test sets them, and the
/// clock moves when a test says so.
/// </summary>
public class VtpApi : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _mail = Directory.CreateTempSubdirectory("vtp-mail-").FullName;
    private WebApplicationFactory<Program>? _factory;

    public MovableClock Clock { get; init; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public string ConnectionString { get; private set; } = "";

    public Uri Url { get; protected set; } = new("http://localhost");

    public HttpClient Http { get; protected set; } = new();

    /// <summary>Configuration of this server, beyond what all tests use.</summary>
    protected virtual IEnumerable<KeyValuePair<string, string>> Settings => [];

    protected virtual bool WithoutLimits => true;

    /// <summary>As often as where people's passwords are: a tenth of a second of a core for each registration and each sign-in.</summary>
    protected virtual bool HashesAsShipped => false;

    /// <summary>At every level, for tests that look for what must not be there. It is most of what such a server does.</summary>
    protected virtual bool LogsAll => false;

    protected virtual Task<string> DatabaseAsync() => TestPostgres.NewDatabaseAsync();

    /// <summary>Puts other services in place of the server's own, for faults that no client can cause.</summary>
    protected virtual void Replace(IServiceCollection services)
    {
    }

    public async Task InitializeAsync()
    {
        ConnectionString = await DatabaseAsync();
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_mail, recursive: true);

        // The runner keeps this object until all tests are over.
        _factory = null;
        Log.Clear();
    }

    public virtual Task StartAsync()
    {
        _factory = new WebApplicationFactory<Program>().WithWebHostBuilder(Configure);
        _factory.UseKestrel(0);
        _factory.StartServer();
        Url = _factory.ClientOptions.BaseAddress;
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        return Task.CompletedTask;
    }

    public virtual async Task StopAsync()
    {
        Http.Dispose();
        if (_factory is not null)
        {
            await _factory.DisposeAsync();
        }
    }

    /// <summary>The server's own services, for tests of one part beneath HTTP.</summary>
    internal T Service<T>()
        where T : notnull => _factory!.Services.GetRequiredService<T>();

    /// <summary>As the server's own work, which sees every organization.</summary>
    public async Task<T?> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Options = "-c vtp.tenants=*" }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>The newest mail to an address, once one of this kind has arrived.</summary>
    public async Task<string> MailToAsync(string address, string subject, int atLeast = 1)
    {
        string[] found = [];
        await UntilAsync(
            () =>
            {
                found = [.. Directory.EnumerateFiles(_mail, "*.eml").Order(StringComparer.Ordinal).Select(File.ReadAllText).Where(IsIt)];
                return found.Length >= atLeast;
            },
            $"a mail '{subject}' to {address}");
        return found[^1];

        bool IsIt(string mail) =>
            mail.Contains($"To: {address}", StringComparison.OrdinalIgnoreCase) && mail.Contains(subject, StringComparison.OrdinalIgnoreCase);
    }

    public int MailCount(string address) =>
        Directory.EnumerateFiles(_mail, "*.eml").Count(file => File.ReadAllText(file).Contains($"To: {address}", StringComparison.OrdinalIgnoreCase));

    public async Task<string> TokenFromMailAsync(string address, string subject, int atLeast = 1) =>
        Regex.Match(await MailToAsync(address, subject, atLeast), "(?<=token=)[A-Za-z0-9_-]+", RegexOptions.None, Patience).Value;

    /// <summary>Every mail that was asked for has been sent or dropped.</summary>
    public Task MailSettledAsync() =>
        UntilAsync(async () => await QueryAsync<long>("SELECT count(*) FROM emails WHERE settled_at IS NULL") == 0, "all mail to be sent");

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var started = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(20))
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {what}.");
            }
        }
    }

    private void Configure(IWebHostBuilder host)
    {
        host.UseSetting("urls", "http://127.0.0.1:0");
        host.UseSetting("ConnectionStrings:Vtp", ConnectionString);
        host.UseSetting("Email:Folder", _mail);
        host.UseSetting("Cache:HardTimeout", "00:00:20"); // Other tests keep the machine busy.
        if (WithoutLimits)
        {
            foreach (var policy in RateLimitPolicies.Defaults.Keys)
            {
                host.UseSetting($"RateLimits:{policy}:Limit", "1000000");
                host.UseSetting($"RateLimits:{policy}:Burst", "1000000");
            }
        }

        if (LogsAll)
        {
            foreach (var category in new[] { "Default", "Microsoft", "Microsoft.EntityFrameworkCore.Database.Command", "Microsoft.AspNetCore.DataProtection", "System.Net.Http" })
            {
                host.UseSetting($"Logging:LogLevel:{category}", "Trace");
            }
        }

        foreach (var (key, value) in Settings)
        {
            host.UseSetting(key, value);
        }

        host.ConfigureLogging(logging => logging.ClearProviders().AddProvider(new Recorder(Log)));
        host.ConfigureTestServices(services =>
        {
            services.AddSingleton<TimeProvider>(Clock);
            if (!HashesAsShipped)
            {
                services.AddSingleton(Options.Create(new PasswordOptions { Iterations = 1000 }));
            }

            Replace(services);
        });
    }

    /// <summary>Everything that is logged.</summary>
    private sealed class Recorder(ConcurrentQueue<string> log) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var message = formatter(state, exception);
            log.Enqueue($"{logLevel} {message} {Fields(state, message)} {exception}");
        }

        // As a collector is sent them, where the message does not say them anyway.
        private static string Fields<TState>(TState state, string message) => state is IEnumerable<KeyValuePair<string, object?>> fields
            ? string.Join(' ', fields
                .Where(field => field.Key != "{OriginalFormat}")
                .Select(field => $"{field.Value}")
                .Where(value => value.Length > 0 && !message.Contains(value, StringComparison.Ordinal)))
            : "";

        public void Dispose()
        {
        }
    }
}
