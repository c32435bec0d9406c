using System.Net;
using System.Net.Sockets;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

public sealed class SettingFaultTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    // Where nobody answers, so that a setting is found wrong before the database is asked for anything.
    private const string NoDatabase = "Host=127.0.0.1;Port=1;Database=vtp;Username=vtp;Password=canary";

    [Theory]
    [InlineData("TrustedProxies", "10.0.0.0/8,nonsense", "TrustedProxies: nonsense is neither an address nor a CIDR.")]
    [InlineData("Passwords__Iterations", "1000", "Passwords:Iterations must be 220000 or more.")]
    [InlineData("Passwords__Iterations", "many", "Failed to convert configuration value 'many' at 'Passwords:Iterations' to type 'System.Int32'.")]
    [InlineData("Tokens__AccessLifetime", "00:00:01", "Tokens:AccessLifetime must lie between 1 minute and 24 hours.")]
    [InlineData("SMTP_PORT", "smtp", "Email:Smtp:Port is 'smtp', not a port number.")]
    [InlineData("Webhooks__Timeout", "00:01:00", "Webhooks:Timeout must lie between 1 and 30 seconds.")]
    [InlineData("Webhooks__AllowedNetworks", "10.0.0.0/8,home", "Webhooks:AllowedNetworks needs CIDRs like 10.0.0.0/8, comma separated.")]
    [InlineData("LiveKit__ApiKey", "APIabc", "LiveKit:ApiKey and LiveKit:ApiSecret are set together or not at all.")]
    [InlineData("Internal__Port", "metrics", "Internal:Port is 'metrics', not a port number.")]
    [InlineData("Metrics__Token", "canary", "Metrics:Token needs 16 characters or more.")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "canary", "OTEL_EXPORTER_OTLP_ENDPOINT is no address like http://collector.example.com:4318.")]
    [InlineData("Logging__Format", "xml", "Logging:Format is 'xml': there are text and json.")]
    [InlineData("SENTRY_DSN", "https://sentry.example.com/canary", "SENTRY_DSN cannot be read: it looks like https://key@sentry.example.com/1.")]
    [InlineData("SENTRY_DSN", "canary", "SENTRY_DSN cannot be read: it looks like https://key@sentry.example.com/1.")]
    [InlineData("PublicUrl", "vtp.example.com", "PublicUrl is 'vtp.example.com', not an address like https://vtp.example.com.")]
    [InlineData("RateLimits__sign-in__Limit", "0", "RateLimits:sign-in needs a Limit of 1 or more, a Period above zero and a Burst of 0 or more.")]
    [InlineData("Cors__Origins", "https://app.example.com,*", "Cors:Origins: '*' is no origin like https://app.example.com; each is named, for there is no wildcard.")]
    [InlineData("CORS_ORIGINS", "https://*.example.com", "Cors:Origins: 'https://*.example.com' is no origin like https://app.example.com; each is named, for there is no wildcard.")]
    [InlineData("ALLOWED_ORIGINS", "https://app.example.com/path", "Cors:Origins: 'https://app.example.com/path' is no origin like https://app.example.com; each is named, for there is no wildcard.")]
    [InlineData("RedirectToHttps", "true", "RedirectToHttps needs a PublicUrl that begins with https://, which is where it leads.")]
    [InlineData("ConnectionStrings__Redis", "127.0.0.1:6379,canary=canary", "ConnectionStrings__Redis cannot be read: it looks like redis.example.com:6379,password=secret.")]
    [InlineData("REDIS_URL", "http://:canary@127.0.0.1", "REDIS_URL cannot be read: it looks like redis://:secret@redis.example.com:6379/0.")]
    [InlineData("REDIS_URL", "redis://127.0.0.1/first", "REDIS_URL ends in the number of a database, like /0.")]
    [InlineData("ConnectionStrings__Vtp", "postgresql://vtp:canary@db/vtp", "ConnectionStrings__Vtp cannot be read: it looks like Host=db.example.com;Database=vtp;Username=vtp;Password=secret.")]
    public async Task A_setting_that_makes_no_sense_is_one_sentence(string name, string value, string sentence) =>
        (await Refusal.OfAsync(folder, environment: [("SMTP_HOST", "mail.example.com"), ("ConnectionStrings__Vtp", NoDatabase), (name, value)])).Should().Be(sentence);

    [Theory]
    [InlineData("--port abc", "--port needs a number from 0 to 65535.")]
    [InlineData("--port", "--port needs a number from 0 to 65535.")]
    [InlineData("--port=65536", "--port needs a number from 0 to 65535.")]
    [InlineData("--prot 9000", "--prot is no option: there are --port N, --internal-port N, --demo, --reset, and any setting as --Name=value.")]
    [InlineData("--reset", "--reset deletes the embedded database only, and ConnectionStrings__Vtp names another: empty that one yourself.")]
    public async Task An_argument_that_makes_no_sense_is_one_sentence(string arguments, string sentence) =>
        (await Refusal.OfAsync(folder, arguments.Split(' '), [("ConnectionStrings__Vtp", NoDatabase)])).Should().Be(sentence);

    [Fact]
    public async Task Two_wrong_settings_are_named_together() =>
        (await Refusal.OfAsync(folder, environment: [("Passwords__Iterations", "1"), ("Passwords__MinimumLength", "1"), ("Tokens__AccessLifetime", "0")]))
            .Should().Contain("Passwords:Iterations").And.Contain("Passwords:MinimumLength").And.Contain("Tokens:AccessLifetime");

    [Fact]
    public async Task A_port_that_is_taken_is_one_sentence()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var sentence = await Refusal.OfAsync(
            folder, ["--port", $"{port}"], [("ConnectionStrings__Vtp", await TestPostgres.NewDatabaseAsync())]);

        sentence.Should().Be($"Failed to bind to address http://127.0.0.1:{port}: address already in use: stop the program that uses it, or choose another port with --port.");
    }

    [Fact]
    public async Task A_machine_without_postgres_is_told_how_to_install_it()
    {
        var empty = Directory.CreateDirectory(Path.Combine(folder.Path, "empty")).FullName;

        (await Refusal.OfAsync(folder, environment: [("VTP_POSTGRES_BIN", empty)]))
            .Should().StartWith("PostgreSQL 13 or newer is not installed").And.Contain("apt-get install -y postgresql");
    }

    [Fact]
    public async Task A_full_disk_is_one_sentence()
    {
        await using var small = new VtpFolder();
        if (await RunsAsync("mount", "-t", "tmpfs", "-o", "size=8m,mode=0711", "tmpfs", small.Path))
        {
            try
            {
                (await Refusal.OfAsync(small)).Should().Be($"The disk that holds {small.Path}/postgres is full: make room on it and start VTP again.");
            }
            finally
            {
                (await RunsAsync("umount", small.Path)).Should().BeTrue();
            }
        }
        else
        {
            // Who may not mount gets what is next to it: files that cannot grow. (The run time would map one of gigabytes.)
            (await Refusal.OfAsync(
                small,
                environment: [("DOTNET_EnableWriteXorExecute", "0")],
                within: ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])).Should().Contain("File too large");
        }
    }

    private static async Task<bool> RunsAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
