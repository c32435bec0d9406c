using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;

namespace Vtp.Integration.Observability;

public sealed class JsonLogTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    [Fact]
    public async Task Every_line_is_JSON_with_the_trace_of_its_request_and_without_secrets()
    {
        const string password = "canary-password-51c7";
        await using var collector = await CollectorDouble.StartAsync();
        await using var server = await RealServer.ServeAsync(
            folder,
            environment:
            [
                ("ConnectionStrings__Vtp", await TestPostgres.NewDatabaseAsync()), ("Logging__Format", "json"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Url), ("OTEL_BLRP_SCHEDULE_DELAY", "100"), ("OTEL_TRACES_EXPORTER", "none"),
                ("Logging__LogLevel__Default", "Trace"), ("Logging__LogLevel__Microsoft", "Trace"),
                ("Logging__LogLevel__Microsoft.EntityFrameworkCore.Database.Command", "Trace"), ("Logging__LogLevel__System.Net.Http", "Trace"),
            ]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/auth/register?token=canary-query-51c7")
        {
            Content = new StringContent($$"""{"email":"noor@school.example","password":"{{password}}","full_name":"Noor"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");

        using var answer = await server.Http.SendAsync(request);

        answer.StatusCode.Should().Be(HttpStatusCode.Created);
        var body = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        await VtpApi.UntilAsync(() => Lines(server).Any(IsUseCase), "the line of the use case");
        await VtpApi.UntilAsync(
            () => collector.Received.Any(one => one.Path == "/v1/logs" && System.Text.Encoding.Latin1.GetString(one.Body).Contains("RegisterAccountCommand", StringComparison.Ordinal)),
            "the same line at the collector");
        var lines = Lines(server);
        var line = lines.First(IsUseCase);
        line.GetProperty("level").GetString().Should().Be("debug");
        line.GetProperty("timestamp").GetDateTimeOffset().Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        line.GetProperty("category").GetString().Should().StartWith("Vtp.Application");
        line.GetProperty("trace_id").GetString().Should().Be("4bf92f3577b34da6a3ce929d0e0e4736");
        line.GetProperty("span_id").GetString().Should().HaveLength(16);
        line.GetProperty("outcome").GetString().Should().Be("answered");
        line.GetProperty("milliseconds").ValueKind.Should().Be(JsonValueKind.Number);
        foreach (var secret in new[] { password, "canary-query-51c7", body.GetProperty("access_token").GetString()!, body.GetProperty("refresh_token").GetString()! })
        {
            server.Output.Should().NotContain(secret);
            collector.Text.Should().NotContain(secret);
        }

        collector.Received.Should().NotContain(one => one.Path == "/v1/traces", "that signal was switched off");

        static bool IsUseCase(JsonElement line) => line.TryGetProperty("use_case", out var name) && name.GetString() == "RegisterAccountCommand";
    }

    /// <summary>All but the greeting, which is for people.</summary>
    private static List<JsonElement> Lines(RealServer server) =>
        [.. server.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
}
