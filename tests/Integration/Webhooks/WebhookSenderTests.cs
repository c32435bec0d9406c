using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Vtp.Application.Webhooks;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Webhooks;

namespace Vtp.Integration.Webhooks;

public sealed class WebhookSenderTests
{
    private const int Kept = 16 * 1024;
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_delivery_is_one_POST_with_the_headers_and_the_bytes_that_were_given()
    {
        await using var receiver = RawReceiver.Doing(async (stream, _, ct) =>
            await stream.WriteAsync((byte[])[.. "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhel\0"u8, 0xFF, .. "lo"u8], ct));

        var answer = await SendAsync(receiver, "/hooks?a=b");

        answer.Outcome.Should().Be(WebhookOutcome.Answered);
        answer.Status.Should().Be(200);
        answer.Body.Should().Be("hel\uFFFD\uFFFDlo");
        answer.IsTruncated.Should().BeFalse();
        answer.Detail.Should().BeNull();
        receiver.Request.Should().StartWith("POST /hooks?a=b HTTP/1.1\r\n").And.EndWith("\r\n\r\n{\"n\":1}")
            .And.Contain("webhook-id: evt_1\r\n").And.Contain("Content-Type: application/json\r\n")
            .And.Contain("Accept-Encoding: identity\r\n").And.Contain("User-Agent: VTP-Webhooks/1.0\r\n")
            .And.NotContain("traceparent").And.NotContain("Cookie");
    }

    [Theory]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 500, null)]
    [InlineData("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, null)]
    [InlineData("HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, 120)]
    [InlineData("HTTP/1.1 503 Slow\r\nRetry-After: 9999999\r\nContent-Length: 0\r\n\r\n", 503, 86400)]
    [InlineData("HTTP/1.1 429 Slow\r\nRetry-After: tomorrow\r\nContent-Length: 0\r\n\r\n", 429, null)]
    [InlineData("HTTP/1.1 204 Fine\r\nSet-Cookie: a=b\r\n\r\n", 204, null)]
    public async Task Any_status_is_an_answer(string raw, int status, int? retryAfter)
    {
        await using var receiver = RawReceiver.Answering(raw);

        var answer = await SendAsync(receiver);

        answer.Outcome.Should().Be(WebhookOutcome.Answered);
        answer.Status.Should().Be(status);
        answer.RetryAfter.Should().Be(retryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var elsewhere = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var receiver = RawReceiver.Answering(
            $"HTTP/1.1 {status} There\r\nLocation: http://127.0.0.1:{elsewhere.Port}/\r\nContent-Length: 0\r\n\r\n");

        (await SendAsync(receiver)).Status.Should().Be(status);

        elsewhere.Connections.Should().Be(0);
    }

    [Fact]
    public async Task Who_never_answers_is_cut_off()
    {
        await using var receiver = RawReceiver.Doing((_, _, ct) => Task.Delay(Timeout.Infinite, ct));

        var answer = await SendAsync(receiver, timeout: Short);

        answer.Outcome.Should().Be(WebhookOutcome.TimedOut);
        answer.Status.Should().BeNull();
        answer.Duration.Should().BeGreaterThan(TimeSpan.FromMilliseconds(900)).And.BeLessThan(Patience);
    }

    [Fact]
    public async Task Whose_headers_drip_is_cut_off()
    {
        await using var receiver = RawReceiver.Doing((stream, _, ct) => DripAsync(stream, "HTTP/1.1 200 OK\r\nX-Slow: " + new string('a', 10_000), ct));

        (await SendAsync(receiver, timeout: Short)).Outcome.Should().Be(WebhookOutcome.TimedOut);
    }

    [Fact]
    public async Task Whose_body_drips_has_answered_and_is_cut_off()
    {
        await using var receiver = RawReceiver.Doing((stream, _, ct) =>
            DripAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nslow" + new string('.', 10_000), ct, atOnce: 46));

        var answer = await SendAsync(receiver, timeout: Short);

        (answer.Outcome, answer.Status, answer.IsTruncated).Should().Be((WebhookOutcome.Answered, 200, true));
        answer.Body.Should().StartWith("slow");
        answer.Duration.Should().BeLessThan(Patience);
    }

    [Fact]
    public async Task Of_an_endless_body_sixteen_KiB_are_read_and_the_connection_is_dropped()
    {
        var sent = 0L;
        var hungUp = new TaskCompletionSource();
        await using var receiver = RawReceiver.Doing(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"u8.ToArray(), ct);
            var block = new byte[65536];
            Array.Fill(block, (byte)'x');
            try
            {
                for (; sent < 1073741824; sent += block.Length)
                {
                    await stream.WriteAsync(block, ct);
                }
            }
            catch (IOException)
            {
                hungUp.SetResult();
            }
        });

        var answer = await SendAsync(receiver);

        (answer.Status, answer.Body, answer.IsTruncated).Should().Be((200, new string('x', Kept), true));
        await hungUp.Task.WaitAsync(Patience);
        sent.Should().BeLessThan(64 << 20);
    }

    [Fact]
    public async Task A_compressed_bomb_stays_compressed()
    {
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[8 << 20]);
        }

        await using var receiver = RawReceiver.Doing(async (stream, _, ct) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {bomb.Length}\r\n\r\n"), ct);
            await stream.WriteAsync(bomb.ToArray(), ct);
        });

        var answer = await SendAsync(receiver);

        (answer.Status, answer.Body).Should().Be((200, null));
    }

    [Fact]
    public async Task A_flood_of_headers_is_refused()
    {
        await using var receiver = RawReceiver.Doing(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), ct);
            var line = Encoding.ASCII.GetBytes($"X-Flood: {new string('a', 1000)}\r\n");
            while (true)
            {
                await stream.WriteAsync(line, ct);
            }
        });

        (await SendAsync(receiver)).Outcome.Should().Be(WebhookOutcome.ProtocolBroken);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("220 mail.example.com ESMTP\r\n")]
    [InlineData("\0\u0001\u0002\u0003\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    public async Task What_is_not_HTTP_is_told(string garbage)
    {
        await using var receiver = RawReceiver.Answering(garbage);

        (await SendAsync(receiver)).Outcome.Should().Be(WebhookOutcome.ProtocolBroken);
    }

    [Fact]
    public async Task A_connection_that_is_reset_or_ends_without_an_answer_is_told()
    {
        await using var resets = RawReceiver.Doing((_, socket, _) =>
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Close();
            return Task.CompletedTask;
        });
        await using var ends = RawReceiver.Answering("");

        (await SendAsync(resets)).Outcome.Should().Be(WebhookOutcome.Reset);
        (await SendAsync(ends)).Outcome.Should().Be(WebhookOutcome.Reset);
    }

    [Fact]
    public async Task Nobody_there_and_no_such_name_are_told()
    {
        var receiver = RawReceiver.Answering("");
        var port = receiver.Port;
        await receiver.DisposeAsync();

        (await SendAsync(new Uri($"http://127.0.0.1:{port}/"), Loopback)).Outcome.Should().Be(WebhookOutcome.NotConnected);
        (await SendAsync(new Uri("http://nowhere.example/"), Loopback, resolve: (_, _) => throw new SocketException((int)SocketError.HostNotFound)))
            .Outcome.Should().Be(WebhookOutcome.NameNotResolved);
        (await SendAsync(new Uri("http://nowhere.example/"), Loopback, resolve: (_, _) => Task.FromResult<IPAddress[]>([])))
            .Outcome.Should().Be(WebhookOutcome.NameNotResolved);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var receiver = RawReceiver.Doing(
            async (stream, _, ct) =>
            {
                await using var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ct);
                await tls.CopyToAsync(Stream.Null, ct);
            },
            readsFirst: false);

        (await SendAsync(new Uri($"https://127.0.0.1:{receiver.Port}/"), Loopback)).Outcome.Should().Be(WebhookOutcome.TlsFailed);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://hooks.example:{0}/")]
    public async Task An_address_that_is_not_public_is_never_connected_to(string url)
    {
        await using var receiver = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var answer = await SendAsync(
            new Uri(string.Format(url, receiver.Port)), new WebhookUrlRules(AllowHttp: true, []), resolve: (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        answer.Outcome.Should().Be(WebhookOutcome.Refused);
        answer.Detail.Should().NotBeNullOrEmpty();
        receiver.Connections.Should().Be(0);
    }

    [Fact]
    public async Task Http_goes_nowhere_unless_the_operator_allows_it()
    {
        await using var receiver = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        (await SendAsync(new Uri($"http://127.0.0.1:{receiver.Port}/"), Loopback with { AllowHttp = false })).Outcome.Should().Be(WebhookOutcome.Refused);

        receiver.Connections.Should().Be(0);
    }

    [Fact]
    public async Task A_name_that_turns_to_a_private_address_is_not_followed_there()
    {
        // 127.0.0.2 stands for a public address, 127.0.0.1 for a private one.
        await using var good = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", new(IPAddress.Parse("127.0.0.2"), 0));
        await using var bad = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", new(IPAddress.Loopback, good.Port));
        var asked = 0;
        using var sender = new WebhookSender(
            OneAddress,
            (_, _) => Task.FromResult<IPAddress[]>([Interlocked.Increment(ref asked) == 1 ? IPAddress.Parse("127.0.0.2") : IPAddress.Loopback]),
            Patience,
            TimeProvider.System);
        var request = Request(new Uri($"http://rebinding.example:{good.Port}/"));

        (await sender.SendAsync(request, default)).Status.Should().Be(200);
        asked.Should().Be(1, "what was judged is what is connected to");
        (await sender.SendAsync(request, default)).Outcome.Should().Be(WebhookOutcome.Refused);

        asked.Should().Be(2);
        (good.Connections, bad.Connections).Should().Be((1, 0));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.2")]
    [InlineData("127.0.0.2", "127.0.0.1")]
    [InlineData("::ffff:127.0.0.1", "127.0.0.2")]
    public async Task Of_several_addresses_of_a_name_only_those_that_are_allowed_are_connected_to(params string[] addresses)
    {
        await using var good = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", new(IPAddress.Parse("127.0.0.2"), 0));
        await using var bad = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", new(IPAddress.Loopback, good.Port));

        var answer = await SendAsync(
            new Uri($"http://both.example:{good.Port}/"), OneAddress, resolve: (_, _) => Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse)));

        answer.Status.Should().Be(200);
        bad.Connections.Should().Be(0);
    }

    [Fact]
    public async Task When_an_allowed_address_does_not_answer_no_other_one_is_tried_that_is_not_allowed()
    {
        await using var bad = RawReceiver.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var answer = await SendAsync(
            new Uri($"http://both.example:{bad.Port}/"),
            OneAddress,
            resolve: (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]));

        answer.Outcome.Should().Be(WebhookOutcome.NotConnected);
        bad.Connections.Should().Be(0);
    }

    [Fact]
    public async Task Who_asked_for_it_can_call_it_off()
    {
        await using var receiver = RawReceiver.Doing((_, _, ct) => Task.Delay(Timeout.Infinite, ct));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        using var sender = Sender(Loopback, Patience, Dns.GetHostAddressesAsync);

        await FluentActions.Awaiting(() => sender.SendAsync(Request(new Uri($"http://127.0.0.1:{receiver.Port}/")), cancel.Token))
            .Should().ThrowAsync<OperationCanceledException>();
    }

    private static WebhookUrlRules Loopback => new(AllowHttp: true, [IPNetwork.Parse("127.0.0.0/8")]);

    private static WebhookUrlRules OneAddress => new(AllowHttp: true, [IPNetwork.Parse("127.0.0.2/32")]);

    private static WebhookSender Sender(WebhookUrlRules rules, TimeSpan timeout, ResolveName resolve) => new(rules, resolve, timeout, TimeProvider.System);

    private static WebhookRequest Request(Uri url) => new(url, [new("webhook-id", "evt_1")], "{\"n\":1}"u8.ToArray());

    private static Task<WebhookAnswer> SendAsync(RawReceiver receiver, string path = "/", TimeSpan? timeout = null) =>
        SendAsync(new Uri($"http://127.0.0.1:{receiver.Port}{path}"), Loopback, timeout);

    private static async Task<WebhookAnswer> SendAsync(Uri url, WebhookUrlRules rules, TimeSpan? timeout = null, ResolveName? resolve = null)
    {
        using var sender = Sender(rules, timeout ?? Patience, resolve ?? Dns.GetHostAddressesAsync);
        return await sender.SendAsync(Request(url), CancellationToken.None).WaitAsync(Patience);
    }

    private static async Task DripAsync(Stream stream, string text, CancellationToken ct, int atOnce = 1)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text[..atOnce]), ct);
        foreach (var character in text[atOnce..])
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), ct);
            await stream.WriteAsync(new[] { (byte)character }, ct);
        }
    }
}
