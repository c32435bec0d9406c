using System.Text.Json;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;
using Vtp.Integration.Webhooks;

namespace Vtp.Integration.Observability;

/// <summary>What is shipped for Grafana and Prometheus asks for numbers that there are.</summary>
public sealed class DashboardTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Functions and keywords of PromQL, and labels, which no metric is called by.
    private static readonly Regex Name = new(@"\b(p2p_tracker|vtp|db_client|dotnet|process|kestrel|http_server)_[a-z0-9_]+", RegexOptions.ExplicitCapture, Patience);
    private static readonly Regex Selector = new(@"(?<name>[a-z0-9_]+)\{(?<labels>[^}]*)\}", RegexOptions.ExplicitCapture, Patience);

    [Fact]
    public async Task Every_panel_and_every_rule_asks_for_numbers_that_a_server_serves()
    {
        var page = await BusyAsync();
        var questions = Questions().ToList();

        questions.Should().HaveCountGreaterThan(40);
        foreach (var (where, question) in questions)
        {
            var names = Name.Matches(question).Select(match => match.Value).ToList();
            names.Should().NotBeEmpty(where);
            names.Should().BeSubsetOf(page.Names, $"{where} asks for them");
            foreach (Match selector in Selector.Matches(question))
            {
                foreach (var label in selector.Groups["labels"].Value.Split(',').Select(one => one.Split('=', '!')[0].Trim()))
                {
                    page.Series.Keys.Should().Contain(
                        series => series.StartsWith(selector.Groups["name"].Value + "{", StringComparison.Ordinal) && series.Contains($"{label}=\"", StringComparison.Ordinal),
                        $"{where} chooses by {label}");
                }
            }
        }
    }

    [Fact]
    public async Task Prometheus_accepts_the_rules_and_every_question_of_the_panels()
    {
        (await Scrape.PromtoolAsync(["check", "rules", Path.Combine(Build(), "prometheus", "rules.yml")], "")).Should().Contain("SUCCESS");

        var file = Path.GetTempFileName();
        try
        {
            // As recording rules, for a rule is what promtool reads questions in.
            var rules = Panels().Select((panel, index) => $"      - {{record: 'panel:{index}', expr: {JsonSerializer.Serialize(panel.Question)}}}");
            await File.WriteAllTextAsync(file, $"groups:\n  - name: panels\n    rules:\n{string.Join('\n', rules)}\n");
            (await Scrape.PromtoolAsync(["check", "rules", file], "")).Should().Contain("SUCCESS");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task<Scrape> BusyAsync()
    {
        await using var receiver = await HookReceiver.StartAsync();
        var school = await api.FoundSchoolAsync();
        var hook = await school.HookAsync(receiver.Url);
        await hook.RenameAsync("Watched");
        await receiver.UntilAsync(1, "project.updated");
        await api.GetAsync("auth/profile");
        await ShareAsync(await school.CreateProjectAsync());
        var admin = await api.RegisterAdministratorAsync();
        Scrape? page = null;
        await VtpApi.UntilAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics") { Headers = { Authorization = new("Bearer", admin.AccessToken) } };
                using var answer = await api.Http.SendAsync(request);
                page = Scrape.Of(await answer.Content.ReadAsStringAsync());
                return page.Names.Contains("vtp_audit_head", StringComparer.Ordinal) && page.Names.Contains("vtp_webhooks_attempt_duration_seconds_count", StringComparer.Ordinal)
                    && page.Names.Contains("vtp_jobs_duration_seconds_count", StringComparer.Ordinal);
            },
            "the numbers");
        (await page!.ComplaintsAsync()).Should().BeEmpty();
        return page;
    }

    /// <summary>A peer with a file, and one who asks for a chunk of it.</summary>
    private async Task ShareAsync(SchoolProject project)
    {
        var peer = Tracker.RelayNode.NewId();
        await api.WithKeyAsync(HttpMethod.Post, "/api/peers/register", project.Secret, new { peer_id = peer, port = 6881 });
        await api.WithKeyAsync(HttpMethod.Post, "/api/peers/stats", project.Secret, new { peer_id = peer, bytes_uploaded = 1, bytes_downloaded = 1 });
        await using var feed = await Tracker.RelayClient.ConnectAsync(api, "/ws", project.Secret);
        await using var link = await Tracker.RelayClient.ConnectAsync(api, $"/relay?peer_id={peer}", project.Secret);
        await link.AskAsync("nobody-at-all", "r-1");
        await link.HearAsync();
    }

    private static IEnumerable<(string Where, string Question)> Questions() =>
        Panels().Concat(Regex.Matches(File.ReadAllText(Path.Combine(Build(), "prometheus", "rules.yml")), @"(?<=^\s+expr: ).+$", RegexOptions.Multiline, Patience)
            .Select(rule => (rule.Value, rule.Value)));

    private static IEnumerable<(string Where, string Question)> Panels() =>
        from file in Directory.EnumerateFiles(Path.Combine(Build(), "grafana"), "*.json")
        from panel in JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file)).GetProperty("panels").EnumerateArray()
        from target in panel.GetProperty("targets").EnumerateArray()
        select ($"{Path.GetFileName(file)}: {panel.GetProperty("title").GetString()}", target.GetProperty("expr").GetString()!);

    private static string Build()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vtp.sln")))
        {
            folder = folder.Parent!;
        }

        return Path.Combine(folder.FullName, "build");
    }
}
