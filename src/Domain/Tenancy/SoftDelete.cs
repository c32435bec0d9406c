using Vtp.Domain.Common;

namespace Vtp.Domain.Tenancy;

/// <summary>What is deleted is gone for everybody at once, and can be brought back for a while.</summary>
public static class SoftDelete
{
    public static readonly TimeSpan UndoFor = TimeSpan.FromDays(30);

    public static readonly Refusal TooLate =
        new(RefusalKind.Conflict, "restore.too_late", "It was deleted more than 30 days ago.");

    public static readonly Refusal NotDeleted =
        new(RefusalKind.Conflict, "restore.not_deleted", "It is not deleted.");

    public static Refusal? Undo(DateTimeOffset? deletedAt, DateTimeOffset now) =>
        deletedAt is not { } at ? NotDeleted : now - at > UndoFor ? TooLate : null;
}
