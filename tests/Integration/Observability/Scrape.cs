using System.Diagnostics;
using System.Globalization;

namespace Vtp.Integration.Observability;

/// <summary>A page in Prometheus' text format, and what Prometheus itself says to it.</summary>
internal sealed class Scrape
{
    private Scrape(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var space = line.LastIndexOf(' ');
            Series.Add(line[..space], double.Parse(line[(space + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture));
        }
    }

    public string Text { get; }

    /// <summary>Name and labels as they stand, each once.</summary>
    public Dictionary<string, double> Series { get; } = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => Series.Keys.Select(series => series.Split('{')[0]).Distinct(StringComparer.Ordinal);

    public static Scrape Of(string text) => new(text);

    public static async Task<Scrape> OfAsync(HttpClient http, Uri url) => Of(await http.GetStringAsync(new Uri(url, "/metrics")));

    /// <summary>Sum of all series of a name that have all of these labels.</summary>
    public double Sum(string name, params string[] labels) => Series
        .Where(series => series.Key.Split('{')[0] == name && labels.All(label => series.Key.Contains(label, StringComparison.Ordinal)))
        .Sum(series => series.Value);

    /// <summary>Nothing, when Prometheus accepts all of it, but for one name that dashboards know from elsewhere.</summary>
    public async Task<string> ComplaintsAsync()
    {
        var said = await PromtoolAsync(["check", "metrics"], Text);
        return said.Replace("p2p_tracker_peers_total non-counter metrics should not have \"_total\" suffix\n", "", StringComparison.Ordinal) is var rest && rest == " (exit code 3)" ? "" : rest;
    }

    public static async Task<string> PromtoolAsync(string[] arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        var said = await output + await errors;
        return process.ExitCode == 0 ? said : $"{said} (exit code {process.ExitCode})";
    }
}
