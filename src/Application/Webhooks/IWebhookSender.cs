namespace Vtp.Application.Webhooks;

/// <summary>
/// Makes one attempt to deliver to an address that somebody else has chosen: only where <c>WebhookUrlRules</c> lets it, and never
/// for longer, nor reading more, than it may. Whatever the receiver does is an answer; only cancelling throws.
/// </summary>
public interface IWebhookSender
{
    Task<WebhookAnswer> SendAsync(WebhookRequest request, CancellationToken cancellationToken);
}

/// <param name="Headers">Beside Content-Type, which is JSON's, and User-Agent.</param>
/// <param name="Body">JSON.</param>
public sealed record WebhookRequest(Uri Url, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);

public enum WebhookOutcome
{
    /// <summary>There is a status; whatever became of the body.</summary>
    Answered,

    TimedOut,

    /// <summary>The address may not be connected to.</summary>
    Refused,

    NameNotResolved,

    NotConnected,

    TlsFailed,

    /// <summary>It was no HTTP, or more headers than are read.</summary>
    ProtocolBroken,

    /// <summary>The connection ended before there was a status.</summary>
    Reset,
}

/// <param name="Status">Null unless answered.</param>
/// <param name="Body">The first 16 KiB as text that can be stored; null without an answer, or when it is compressed, which nobody asked for.</param>
/// <param name="IsTruncated">Whether there was, or would have been, more of the body.</param>
/// <param name="RetryAfter">What the receiver asked for.</param>
/// <param name="Detail">A sentence for the owner of the endpoint; null when answered.</param>
public sealed record WebhookAnswer(
    WebhookOutcome Outcome, int? Status, string? Body, bool IsTruncated, TimeSpan? RetryAfter, TimeSpan Duration, string? Detail);
