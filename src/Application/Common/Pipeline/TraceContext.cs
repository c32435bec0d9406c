using System.Diagnostics;

namespace Vtp.Application.Common.Pipeline;

/// <summary>A place in a trace as text (W3C Trace Context): what is done later, or elsewhere, carries it along.</summary>
public static class TraceContext
{
    public const string Header = "traceparent";

    /// <summary>Of the work in hand; null outside of any.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <returns>The default, which is no place, for null and for what is none.</returns>
    public static ActivityContext Read(string? traceparent) =>
        ActivityContext.TryParse(traceparent, traceState: null, isRemote: true, out var context) ? context : default;
}
