using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>Who sends a byte a second holds no connection for longer than it takes to see that.</summary>
public sealed class SlowClientTests(VtpApi api) : IClassFixture<VtpApi>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_body_that_trickles_is_cut_off()
    {
        var answer = await TrickleAsync("POST /api/v1/auth/login HTTP/1.1\r\nHost: vtp\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");

        answer.Should().StartWith("HTTP/1.1 408 ").And.Contain("request.timeout");
    }

    [Fact]
    public async Task Headers_that_trickle_are_cut_off() =>
        (await TrickleAsync("GET /health/live HTTP/1.1\r\nHost: vtp\r\nX-Slow: ")).Should().StartWith("HTTP/1.1 408 ");

    /// <returns>What the server said before it hung up.</returns>
    private async Task<string> TrickleAsync(string beginning)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(api.Url.Host, api.Url.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning));
        using var answer = new StreamReader(stream, Encoding.UTF8);
        var read = answer.ReadToEndAsync();
        for (var started = Stopwatch.GetTimestamp(); await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(1))) != read;)
        {
            Stopwatch.GetElapsedTime(started).Should().BeLessThan(Patience);
            try
            {
                await stream.WriteAsync(" "u8.ToArray());
            }
            catch (IOException)
            {
                break; // It has hung up already.
            }
        }

        return await read;
    }
}
