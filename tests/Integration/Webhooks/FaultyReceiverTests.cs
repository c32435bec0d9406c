using System.Net;
using System.Net.Sockets;
using System.Text;
using Vtp.Application.Webhooks;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Webhooks;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>Receivers that behave badly harm themselves alone.</summary>
public sealed class FaultyReceiverTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    private static readonly string[] Types = ["project.updated"];

    [Fact]
    public async Task Whatever_receivers_do_is_written_down_and_their_neighbour_gets_its_own()
    {
        await using var healthy = await HookReceiver.StartAsync();
        await using var elsewhere = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        (RawReceiver Receiver, string Ends)[] faulty =
        [
            (RawReceiver.Doing((_, _, ct) => Task.Delay(Timeout.Infinite, ct)), "pending timed_out"),
            (RawReceiver.Doing((_, socket, _) => ResetAsync(socket)), "pending reset"),
            (RawReceiver.Doing((_, _, _) => Task.CompletedTask), "pending reset"),
            (RawReceiver.Answering("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), "pending answered 500"),
            (RawReceiver.Answering("HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"), "pending answered 429"),
            (RawReceiver.Answering($"HTTP/1.1 301 There\r\nLocation: http://127.0.0.1:{elsewhere.Port}/\r\nContent-Length: 0\r\n\r\n"), "pending answered 301"),
            (RawReceiver.Answering("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), "failed answered 410"),
            (RawReceiver.Answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: mail\r\nConnection: Upgrade\r\n\r\n220 mail.example"), "pending answered 101"),
            (RawReceiver.Answering("220 mail.example ready\r\n"), "pending protocol_broken"),
            (RawReceiver.Doing((stream, _, ct) => DripAsync(stream, "HTTP/1.1 200 OK\r\nX: ", ct)), "pending timed_out"),
            (RawReceiver.Doing((stream, _, ct) => DripAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", ct)), "delivered answered 200"),
        ];
        var school = await api.FoundSchoolAsync();
        var hooks = new List<Hook>();
        foreach (var (receiver, _) in faulty)
        {
            hooks.Add(await school.HookAsync($"http://127.0.0.1:{receiver.Port}/hook", hooks.FirstOrDefault()?.Project, new { event_types = Types }));
        }

        var neighbour = await school.HookAsync(healthy.Url, hooks[0].Project, new { event_types = Types });
        await hooks[0].RenameAsync("To all of them");

        await VtpApi.UntilAsync(async () => await neighbour.CountAsync("delivered") == 1, "the neighbour's");
        foreach (var (hook, (_, ends)) in hooks.Zip(faulty))
        {
            await VtpApi.UntilAsync(async () => await hook.AttemptsAsync() > 0, $"an attempt that is {ends}");
            (await api.QueryAsync<string>(
                """
                SELECT concat_ws(' ', state, outcome, status) FROM webhook_attempts attempt JOIN webhook_deliveries delivery ON delivery.id = delivery_id
                WHERE attempt.endpoint_id = $1 AND number = 1
                """,
                hook.Id)).Should().Be(ends);
            (await hook.ViewAsync())["status"]!.GetValue<string>().Should().Be(ends.Contains("410", StringComparison.Ordinal) ? "disabled" : "active");
        }

        elsewhere.Connections.Should().Be(0, "redirects are not followed");
        foreach (var (receiver, _) in faulty)
        {
            await receiver.DisposeAsync();
        }
    }

    [Fact]
    public async Task While_one_endpoint_hangs_in_its_first_attempts_another_of_the_same_organization_gets_all()
    {
        await using var patient = new WebhookApi { Timeout = "00:00:30" };
        await patient.InitializeAsync();
        await using var healthy = await HookReceiver.StartAsync();
        await using var hanging = RawReceiver.Doing((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        var school = await patient.FoundSchoolAsync();
        var stuck = await school.HookAsync($"http://127.0.0.1:{hanging.Port}/hook", more: new { event_types = Types });
        var hook = await school.HookAsync(healthy.Url, stuck.Project, new { event_types = Types });
        await stuck.TellAsync(10);
        await VtpApi.UntilAsync(() => hanging.Connections == 10, "the one to hang");

        await stuck.TellAsync(50);

        await VtpApi.UntilAsync(async () => await hook.CountAsync("delivered") == 60, "the other to get all");
        (await stuck.AttemptsAsync()).Should().Be(0, "it is in its first attempts still");
        hanging.Connections.Should().Be(10);
    }

    [Fact]
    public async Task No_answer_however_mangled_throws()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var proper = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nRetry-After: 120\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n5\r\nhello\r\n0\r\n\r\n"u8.ToArray();
        await using var receiver = RawReceiver.Doing(async (stream, _, ct) => await stream.WriteAsync(Mangled(), ct));
        using var sender = new WebhookSender(
            new WebhookUrlRules(AllowHttp: true, [IPNetwork.Parse("127.0.0.0/8")]), (_, _) => throw new InvalidOperationException("Nothing is looked up."), TimeSpan.FromSeconds(1), TimeProvider.System);
        for (var round = 0; round < 300; round++)
        {
            var request = new WebhookRequest(new Uri($"http://127.0.0.1:{receiver.Port}/"), [], Encoding.UTF8.GetBytes("{}"));
            var sending = () => sender.SendAsync(request, CancellationToken.None);
            var answer = (await sending.Should().NotThrowAsync($"the seed was {seed}")).Subject;
            (answer.Body ?? "").Should().NotContain("\0");
        }

        byte[] Mangled()
        {
            byte[] bytes = [.. proper];
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                var at = random.Next(bytes.Length);
                bytes = random.Next(3) switch
                {
                    0 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 20))..], (byte)'\n'],
                    1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                    _ => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                };
                bytes = bytes.Length == 0 ? [0] : bytes;
            }

            return bytes;
        }
    }

    private static Task ResetAsync(Socket socket)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
        return Task.CompletedTask;
    }

    private static async Task DripAsync(Stream stream, string begin, CancellationToken ct)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(begin), ct);
        while (true)
        {
            await stream.WriteAsync("x"u8.ToArray(), ct);
            await Task.Delay(50, ct);
        }
    }
}
