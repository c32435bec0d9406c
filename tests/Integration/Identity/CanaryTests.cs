using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Npgsql;
using Vtp.Integration.Fixture;
using Vtp.Integration.Observability;

namespace Vtp.Integration.Identity;

/// <summary>What people entrust to the server shows up nowhere that somebody else reads.</summary>
public sealed class CanaryTests(TracedApi api) : IClassFixture<TracedApi>
{
    [Fact]
    public async Task A_planted_password_and_token_appear_in_no_log_line_trace_audit_row_error_or_table()
    {
        var spans = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => spans.Enqueue($"{span.DisplayName} {string.Join(' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}"),
        };
        ActivitySource.AddActivityListener(listener);
        const string password = "canary-password-7f3a91";
        const string wrong = "canary-wrong-password-4be2";
        var errors = new StringBuilder();

        var person = await (await api.RegisterAsync(password: password)).VerifyEmailAsync();
        errors.Append((await api.SignInAsync(person.Email, wrong)).Text);
        errors.Append((await api.PostAsync("auth/login", $$"""{"email":"{{person.Email}}","password":["{{password}}"]}""")).Text);
        errors.Append((await api.PostAsync("auth/login", $$"""{"email":"{{person.Email}}","password":"{{password}}" """)).Text);
        errors.Append((await api.PostAsync("auth/register", new { email = "x", password, full_name = "X" })).Text);
        await api.GetAsync($"auth/profile?token={wrong}");
        errors.Append((await api.PostAsync("auth/reset-password", new { token = wrong, new_password = password })).Text);
        errors.Append((await api.GetAsync($"auth/nowhere?token={person.RefreshToken}", person.AccessToken)).Text);
        errors.Append((await person.PostAsync("auth/change-password", new { current_password = wrong, new_password = password })).Text);
        (await api.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken })).Status.Should().Be(HttpStatusCode.OK);
        var (app, backupCodes) = await person.EnableTwoFactorAsync();
        var challenge = await person.ChallengeAsync();
        await api.PostAsync("auth/2fa/verify", new { challenge_token = challenge, code = app.Code() });
        await api.PostAsync("auth/forgot-password", new { email = person.Email });
        var resetToken = await api.TokenFromMailAsync(person.Email, "reset");

        string[] canaries = [password, wrong, person.AccessToken, person.RefreshToken, person.RefreshToken[8..40], challenge, resetToken, .. backupCodes];
        var log = string.Join('\n', api.Log);
        var traces = string.Join('\n', spans);
        var tables = await DumpAsync();

        await api.SpanAsync(span => span.Name == "POST /api/v1/auth/forgot-password");
        await VtpApi.UntilAsync(() => api.Collector.Received.Any(one => one.Path == "/v1/metrics"), "the numbers");
        var collected = api.Collector.Text;

        log.Should().NotBeEmpty();
        traces.Should().Contain("SignInCommand");
        tables.Should().Contain(person.Email);
        foreach (var canary in canaries)
        {
            foreach (var (where, text) in new[] { ("the log", log), ("a trace", traces), ("what a collector is sent", collected), ("a table", tables), ("an error", errors.ToString()) })
            {
                text.Contains(canary, StringComparison.Ordinal).Should().BeFalse($"{canary[..8]}… must not be in {where}");
            }
        }
    }

    /// <summary>Every row of every table, audit trail included, as text; bytes also as the text they may spell.</summary>
    private async Task<string> DumpAsync()
    {
        var tables = await api.QueryAsync<string[]>("SELECT array_agg(table_name::text) FROM information_schema.tables WHERE table_schema = 'public'");
        var dump = new StringBuilder();
        await using var connection = new NpgsqlConnection(api.ConnectionString);
        await connection.OpenAsync();
        foreach (var table in tables!)
        {
            await using var command = new NpgsqlCommand($"SELECT t::text FROM \"{table}\" t", connection);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                var row = reader.GetString(0);
                dump.AppendLine(row);
                foreach (System.Text.RegularExpressions.Match bytes in System.Text.RegularExpressions.Regex.Matches(
                    row, @"(?<=\\x)(?:[0-9a-f]{2})+", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)))
                {
                    dump.AppendLine(Encoding.Latin1.GetString(Convert.FromHexString(bytes.Value)));
                }
            }
        }

        return dump.ToString();
    }
}
