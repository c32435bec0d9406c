using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Vtp.Infrastructure.Observability.Sentry;

/// <summary>
/// One error as an envelope. It says what went wrong and where in the code: the message as it is written there and not what
/// was put into it, types and stacks of exceptions, their texts without what looks like an address or a secret; nothing of
/// the request but its trace.
/// </summary>
internal sealed partial record SentryEvent(DateTimeOffset At, string Level, string Category, string Template, Exception? Exception, string? Trace, string? Span)
{
    private const int MostCauses = 5;
    private const int MostFrames = 50;
    private const int MostText = 500;

    public byte[] ToEnvelope(SentryOptions options)
    {
        var id = Guid.NewGuid().ToString("N");
        var payload = Payload(id, options);
        var envelope = new ArrayBufferWriter<byte>(payload.Length + 200);
        envelope.Write(Encoding.UTF8.GetBytes($$"""{"event_id":"{{id}}","sent_at":"{{At.UtcDateTime:O}}"}""" + '\n'));
        envelope.Write(Encoding.UTF8.GetBytes($$"""{"type":"event","content_type":"application/json","length":{{payload.Length}}}""" + '\n'));
        envelope.Write(payload);
        envelope.Write("\n"u8);
        return envelope.WrittenSpan.ToArray();
    }

    /// <summary>Mail addresses, IP addresses, and runs of characters that are too long for words.</summary>
    internal static string Scrub(string text) => Telling().Replace(text[..Math.Min(text.Length, MostText)], "[removed]");

    private byte[] Payload(string id, SentryOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("event_id"u8, id);
            json.WriteString("timestamp"u8, At.UtcDateTime);
            json.WriteString("platform"u8, "csharp"u8);
            json.WriteString("level"u8, Level);
            json.WriteString("logger"u8, Category);
            json.WriteString("release"u8, options.Release);
            json.WriteString("environment"u8, options.Environment);
            json.WriteStartObject("logentry"u8);
            json.WriteString("formatted"u8, Scrub(Template));
            json.WriteEndObject();
            if (Exception is not null)
            {
                json.WriteStartObject("exception"u8);
                json.WriteStartArray("values"u8);
                // The oldest cause first.
                foreach (var cause in Causes(Exception).Reverse())
                {
                    Write(json, cause);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            if (Trace is not null)
            {
                json.WriteStartObject("contexts"u8);
                json.WriteStartObject("trace"u8);
                json.WriteString("trace_id"u8, Trace);
                json.WriteString("span_id"u8, Span);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static IEnumerable<Exception> Causes(Exception exception)
    {
        var left = MostCauses;
        for (Exception? cause = exception; cause is not null && left-- > 0; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    private static void Write(Utf8JsonWriter json, Exception exception)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, exception.GetType().FullName);
        json.WriteString("value"u8, Scrub(exception.Message));
        json.WriteStartObject("stacktrace"u8);
        json.WriteStartArray("frames"u8);
        foreach (var frame in new StackTrace(exception).GetFrames().Take(MostFrames).Reverse())
        {
            var (module, function) = PlaceOf(frame);
            json.WriteStartObject();
            json.WriteString("module"u8, module);
            json.WriteString("function"u8, function);
            json.WriteBoolean("in_app"u8, module.StartsWith("Vtp.", StringComparison.Ordinal));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>An async method is a class of the compiler's with one method; it goes by the name that it has in the code.</summary>
    private static (string Module, string Function) PlaceOf(StackFrame frame)
    {
        var method = DiagnosticMethodInfo.Create(frame);
        var (module, function) = (method?.DeclaringTypeName ?? "", method?.Name ?? "unknown");
        var (open, close) = (module.IndexOf("+<", StringComparison.Ordinal), module.IndexOf('>', StringComparison.Ordinal));
        return function == "MoveNext" && open >= 0 && close > open ? (module[..open], module[(open + 2)..close]) : (module, function);
    }

    [GeneratedRegex(
        @"[^\s@'""<>]+@[^\s@'""<>]+|\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){3,7}\b|[A-Za-z0-9_+/=-]{24,}",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking,
        matchTimeoutMilliseconds: 100)]
    private static partial Regex Telling();
}
