using Vtp.Domain.Tenancy.Exports;

namespace Vtp.Application.Tenancy.Exports;

/// <param name="ProjectId">Null for the whole organization.</param>
/// <param name="Bytes">Of the ZIP; null until it is ready, as is <paramref name="Sha256"/>.</param>
/// <param name="Sha256">Of the ZIP, in lower-case hex.</param>
/// <param name="Error">Why it was given up.</param>
/// <param name="RequestedBy">The account that asked for it, and is mailed when it is ready.</param>
/// <param name="ExpiresAt">From when on it is gone; null until it is finished.</param>
public sealed record ExportView(
    Guid Id,
    Guid OrgId,
    Guid? ProjectId,
    ExportState State,
    long? Bytes,
    string? Sha256,
    string? Error,
    Guid RequestedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? ExpiresAt)
{
    internal static ExportView Of(ArchiveExport export) => new(
        export.Id,
        export.OrganizationId.Value,
        export.ProjectId?.Value,
        export.State,
        export.Bytes,
        export.Sha256,
        export.Error,
        export.RequestedBy.Value,
        export.CreatedAt,
        export.FinishedAt,
        export.ExpiresAt);
}

public sealed record ExportList(IReadOnlyList<ExportView> Data);

/// <param name="FileName">What a browser should save it as.</param>
/// <param name="Content">The ZIP, from any place on.</param>
public sealed record ExportContent(string FileName, string Sha256, Stream Content);
