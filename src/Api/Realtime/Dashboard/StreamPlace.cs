using Vtp.Application.Realtime;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>How far a stream has come, and which one it is: what <c>id:</c> says, and what comes back as <c>Last-Event-ID</c>.</summary>
internal sealed record StreamPlace(Mark Mark, string ClientId)
{
    private const int MaximumLength = 200;

    public override string ToString() => $"{Mark};{ClientId}";

    /// <returns>Null for what is none of ours: the stream begins anew.</returns>
    public static StreamPlace? Parse(string? text) =>
        text is { Length: <= MaximumLength } && text.Split(';') is [var mark, var client] && IsClientId(client) && Mark.Parse(mark) is { } found
            ? new StreamPlace(found, client)
            : null;

    /// <summary>With a mark that came after this one. Of a log that it says nothing of yet, what was known before holds.</summary>
    public StreamPlace To(Mark mark) => this with { Mark = new Mark(Later(Mark.Events, mark.Events), Later(Mark.Messages, mark.Messages)) };

    private static LogPosition Later(LogPosition known, LogPosition told) =>
        told.Epoch == known.Epoch && told.Offset < known.Offset ? known : told;

    private static bool IsClientId(string text) => text.StartsWith(ClientIdPrefix, StringComparison.Ordinal) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');

    public const string ClientIdPrefix = "sse_";
}
