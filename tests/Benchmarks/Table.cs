using System.Globalization;

namespace Vtp.Benchmarks;

/// <summary>Markdown for docs/benchmarks.md.</summary>
internal static class Table
{
    public static void Print(string machine, List<Row> rows)
    {
        var output = Console.Out;
        output.WriteLine(Text($"{machine}; {Load.Connections} connections"));
        Lines(rows);
        output.WriteLine();
        var (idle, flooded, signIn) = (Rounds(Drive.Profile), Rounds(Drive.Flooded), Rounds(Drive.SignIn));
        var slowdown = Row.Median(flooded.Zip(idle, (during, alone) => during.Load.P99 / alone.Load.P99));
        var signedIn = Row.Median(signIn.Select(round => (round.Load.Requests - round.Load.Refused) / round.Load.Duration.TotalSeconds));
        output.WriteLine(Text($"Profile's p99 during the flood is {slowdown:0.0} times its p99 alone; {signedIn:0} people a second sign in while 64 try."));

        List<Round> Rounds(string name) => rows.Single(row => row.Name == name).Vtp;
    }

    public static void Lines(List<Row> rows)
    {
        var output = Console.Out;
        output.WriteLine();
        output.WriteLine("| | req/s | p50 ms | p99 ms | of the floor | KB allocated | 503 | failed |");
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var row in rows)
        {
            output.WriteLine(Line(row.Name, row.Vtp, row.Ratio));
            if (row.FloorName is { } floor)
            {
                output.WriteLine(Line(floor, row.Floor, ratio: null));
            }
        }
    }

    private static string Line(string name, List<Round> rounds, double? ratio)
    {
        // Every round or none: a median of what is left would hide that something went wrong.
        var bytes = rounds.All(round => round.BytesPerRequest is not null) ? Row.Median(rounds.Select(round => round.BytesPerRequest!.Value)) : (double?)null;
        return Text(
            $"""
            | {name} | {Median(load => load.PerSecond):#,0} | {Median(load => load.P50.TotalMilliseconds):0.00} | {Median(load => load.P99.TotalMilliseconds):0.00} | {ratio:0.00} | {bytes / 1024:0.0} | {Median(load => 100.0 * load.Refused / load.Requests):0.#} % | {rounds.Sum(round => round.Load.Failed)} |
            """);

        double Median(Func<Load, double> number) => Row.Median(rounds.Select(round => number(round.Load)));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
