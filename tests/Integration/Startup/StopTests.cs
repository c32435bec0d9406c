using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

public sealed class StopTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_lets_a_request_finish_and_then_ends_the_server_and_its_postgres(string signal)
    {
        await using var server = await RealServer.ServeAsync(folder);
        var postgres = folder.Postgres!.Value;
        var email = $"{signal}@school.example";
        var body = $$"""{"email":"{{email}}","full_name":"Noor Example","password":"{{Intents.GoodPassword}}"}""";

        using var client = new TcpClient();
        await client.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/auth/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\n\r\n"));
        (await reader.ReadLineAsync()).Should().Contain("100", "the server asks for the body, and so is at work on the request");

        await server.SignalAsync(signal);
        await VtpApi.UntilAsync(async () => !await AcceptsAsync(server.Http.BaseAddress), "the server to take no more connections");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body));

        (await reader.ReadToEndAsync()).Should().Contain("201 Created");
        (await server.ExitAsync()).Should().Be(0);
        server.Errors.Should().BeEmpty();
        VtpFolder.IsAlive(postgres.Process).Should().BeFalse();
        Directory.Exists(postgres.Socket).Should().BeFalse();
    }

    [Fact]
    public async Task After_kill_9_every_answered_registration_is_there_and_the_first_postgres_is_gone()
    {
        var answered = new ConcurrentQueue<string>();
        int orphan;
        await using (var server = await RealServer.ServeAsync(folder, environment: [("RateLimits__register__Limit", "1000000"), ("RateLimits__register__Burst", "1000000")]))
        {
            orphan = folder.Postgres!.Value.Process;
            using var each = new SemaphoreSlim(0);
            var writers = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RegisterUntilItDiesAsync(server, answered, each)));
            await await Task.WhenAny(writers, TakeAsync(each, 8));
            await server.SignalAsync("KILL");
            await writers;
        }

        answered.Count.Should().BeGreaterThanOrEqualTo(8);
        await using var next = await RealServer.ServeAsync(folder);

        folder.Postgres!.Value.Process.Should().NotBe(orphan);
        VtpFolder.IsAlive(orphan).Should().BeFalse();
        (await folder.QueryAsync<string>("SELECT email FROM accounts")).Should().Contain(answered);
    }

    [Fact]
    public async Task A_second_vtp_on_the_same_folder_is_refused_in_one_sentence_and_the_first_serves_on()
    {
        await using var first = await RealServer.ServeAsync(folder);

        (await Refusal.OfAsync(folder)).Should().Be($"Another VTP is running on {folder.Path}: stop it before you start this one.");

        (await first.Http.GetStringAsync("/health")).Should().Be("OK");
    }

    [Fact]
    public async Task A_postgres_that_dies_ends_the_server_with_one_sentence()
    {
        await using var server = await RealServer.ServeAsync(folder);
        using var kill = Process.Start("kill", ["-QUIT", $"{folder.Postgres!.Value.Process}"]);
        await kill.WaitForExitAsync();

        (await server.ExitAsync()).Should().Be(1);
        server.Errors.Should().Be($"The embedded PostgreSQL server has stopped; {folder.Path}/postgres.log says why.\n");
    }

    private static async Task RegisterUntilItDiesAsync(RealServer server, ConcurrentQueue<string> answered, SemaphoreSlim each)
    {
        try
        {
            while (true)
            {
                var email = Intents.NewAddress();
                var (status, body) = await server.PostAsync("auth/register", new { email, full_name = "Noor Example", password = Intents.GoodPassword });
                status.Should().Be(HttpStatusCode.Created, body.ToString());
                answered.Enqueue(email);
                each.Release();
            }
        }
        catch (HttpRequestException)
        {
            // It was killed.
        }
    }

    private static async Task TakeAsync(SemaphoreSlim each, int count)
    {
        for (var taken = 0; taken < count; taken++)
        {
            (await each.WaitAsync(TimeSpan.FromSeconds(60))).Should().BeTrue("the server should answer");
        }
    }

    private static async Task<bool> AcceptsAsync(Uri url)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(url.Host, url.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
