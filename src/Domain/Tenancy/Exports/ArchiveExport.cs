using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Tenancy.Exports;

public enum ExportState
{
    Queued,

    /// <summary>It has been begun; a try that fails is repeated.</summary>
    Running,
    Ready,

    /// <summary>It was given up.</summary>
    Failed,
}

/// <summary>An archive of an organization, or of one of its projects, that is made in the background and kept for a while.</summary>
public sealed class ArchiveExport : IOfTenant
{
    /// <summary>That are not finished, or ready.</summary>
    public const int MaximumPerOrganization = 3;

    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    private ArchiveExport(Guid id, OrganizationId organizationId, ProjectId? projectId, AccountId requestedBy, DateTimeOffset createdAt) =>
        (Id, OrganizationId, ProjectId, RequestedBy, CreatedAt) = (id, organizationId, projectId, requestedBy, createdAt);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    /// <summary>Null for the whole organization.</summary>
    public ProjectId? ProjectId { get; private set; }

    public AccountId RequestedBy { get; private set; }

    public ExportState State { get; private set; }

    public long? Bytes { get; private set; }

    /// <summary>Of the ZIP, in lower-case hex.</summary>
    public string? Sha256 { get; private set; }

    public string? Error { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>From when on it is gone; null until it is finished.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    public static ArchiveExport Of(OrganizationId organization, ProjectId? project, AccountId requestedBy, DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), organization, project, requestedBy, now);

    /// <summary>Also when it was given up, and an operator has its job run again.</summary>
    public void Begin() => (State, Error, FinishedAt, ExpiresAt) = (ExportState.Running, null, null, null);

    public void Finish(long bytes, string sha256, DateTimeOffset now) =>
        (State, Bytes, Sha256, FinishedAt, ExpiresAt) = (ExportState.Ready, bytes, sha256, now, now + KeptFor);
}

public static class ExportRefusals
{
    public static readonly Refusal NotFound =
        new(RefusalKind.NotFound, "export.not_found", "There is no such export.");

    public static readonly Refusal TooMany =
        new(RefusalKind.Conflict, "export.too_many", "The organization has three exports that are ready or not finished. Delete one first.");

    public static readonly Refusal NotReady =
        new(RefusalKind.Conflict, "export.not_ready", "The export is not ready.");

    public static readonly Refusal Running =
        new(RefusalKind.Conflict, "export.running", "The export is being made. Delete it when it is finished.");
}
