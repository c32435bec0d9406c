namespace Vtp.Api.Console.Operators;

/// <summary>One line of a chart.</summary>
/// <param name="Kind">How it is drawn: first, second or third, or failed.</param>
/// <param name="Values">Oldest first; null where nothing is known.</param>
/// <param name="Says">A value in words.</param>
public sealed record SystemLine(string Name, string Kind, IReadOnlyList<double?> Values, Func<double, string> Says)
{
    public double? Last => Values is [.., var last] ? last : null;

    public double? Most => Values.Max();
}
