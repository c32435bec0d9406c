using Vtp.Domain.Events;

namespace Vtp.Domain.Webhooks;

public static class WebhookEvents
{
    public const string TestType = "webhook.test";

    [Event("webhook.created", "Events of the project are sent to one more address.")]
    public sealed record Created(Guid Id, string Url, IReadOnlyList<string> EventTypes);

    [Event("webhook.updated", "An endpoint has other settings.")]
    public sealed record Updated(Guid Id, string Url, IReadOnlyList<string> EventTypes, bool Enabled);

    [Event("webhook.deleted", "An endpoint was removed.")]
    public sealed record Deleted(Guid Id, string Url);

    [Event("webhook.enabled", "Somebody switched an endpoint on again.")]
    public sealed record Enabled(Guid Id, string Url);

    [Event("webhook.secret_rotated", "An endpoint signs with a new secret; the old one signs beside it until the time that is said.")]
    public sealed record SecretRotated(Guid Id, string Url, DateTimeOffset OldExpiresAt);

    [Event("webhook.failing", "An endpoint has only failed for an hour, or for a day.")]
    public sealed record Failing(Guid Id, string Url, DateTimeOffset? FailingSince);

    [Event("webhook.disabled", "An endpoint answered 410, or has only failed for five days, and is sent nothing more.")]
    public sealed record Disabled(Guid Id, string Url, DisabledReason Reason);

    [Event(TestType, "Somebody asked for a test; it goes to the endpoint that is tested alone.")]
    public sealed record Tested(Guid Id, string Message);
}
