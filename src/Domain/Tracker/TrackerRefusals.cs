using Vtp.Domain.Common;

namespace Vtp.Domain.Tracker;

public static class TrackerRefusals
{
    public static readonly Refusal Unauthenticated =
        new(RefusalKind.Unauthenticated, "auth.required", "Send a key of the project as X-API-Key, or a token of POST /api/auth/login.");

    public static readonly Refusal TokenRejected =
        new(RefusalKind.Unauthenticated, "tracker.token_rejected", "This token is not good, or not any more. Log in again.");

    public static readonly Refusal ProjectMissing =
        Refusal.Field("project_id", "tracker.project_missing", "Say which project's swarms you mean.");

    public static readonly Refusal NotYourPeer =
        new(RefusalKind.Forbidden, "peer.not_yours", "Another credential registered this peer, and only that one may speak for it.");

    public static readonly Refusal PeerNotFound =
        new(RefusalKind.NotFound, "peer.not_found", "There is no such peer.");

    public static readonly Refusal PeerNotRegistered =
        new(RefusalKind.NotFound, "peer.not_registered", "This peer is not registered. Register it first.");

    public static readonly Refusal FileNotFound =
        new(RefusalKind.NotFound, "file.not_found", "There is no such file.");

    public static readonly Refusal TooManyPeers =
        new(RefusalKind.Busy, "tracker.too_many_peers", "The project has as many peers as it may.") { RetryAfter = TimeSpan.FromMinutes(1) };

    public static readonly Refusal TooManyFiles =
        new(RefusalKind.Conflict, "tracker.too_many_files", "The project has as many files as it may.");

    public static readonly Refusal Busy =
        new(RefusalKind.Busy, "tracker.busy", "More is waiting to be written than the tracker takes. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(1) };

    public static readonly Refusal DatabaseAway =
        new(RefusalKind.Busy, "server.database_away", "The database does not answer. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(2) };

    public static Refusal OtherContent(string difference) =>
        new(RefusalKind.Conflict, "file.content_differs", $"This hash is known with other content: {difference}. The first announcement of a hash stands.");

    public static Refusal NoHash(string field) =>
        Refusal.Field(field, "file.hash_malformed", $"A hash is a SHA-256: {ContentHash.Digits} hexadecimal digits.");
}
