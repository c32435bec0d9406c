using System.Globalization;

namespace Vtp.Api.Console.Operators;

/// <summary>Numbers and times as the console says them.</summary>
internal static class Words
{
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Where counting stopped there may be more.</summary>
    public static string Count(int count, int upTo) => count < upTo ? Count(count) : $"{Count(upTo)}+";

    public static string Share(decimal? share) => share is { } known ? known.ToString("P1", CultureInfo.InvariantCulture) : "–";

    /// <summary>By thousands, as sizes of files are told.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 1_000_000 => OneDigit(bytes / 1e3, "kB"),
        < 1_000_000_000 => OneDigit(bytes / 1e6, "MB"),
        < 1_000_000_000_000 => OneDigit(bytes / 1e9, "GB"),
        _ => OneDigit(bytes / 1e12, "TB"),
    };

    public static string Away(TimeSpan span) => span switch
    {
        { TotalSeconds: > -1 and < 1 } => "now",
        { Ticks: < 0 } => $"{Span(-span)} ago",
        _ => $"in {Span(span)}",
    };

    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 100 } => Of(span.TotalSeconds, "s"),
        { TotalMinutes: < 100 } => Of(span.TotalMinutes, "min"),
        { TotalHours: < 48 } => Of(span.TotalHours, "h"),
        _ => Of(span.TotalDays, "days"),
    };

    private static string OneDigit(double count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count:0.#} {unit}");

    private static string Of(double count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(count):0} {unit}");
}
