using System.Globalization;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

public enum AuditExportFormat
{
    /// <summary>For spreadsheets.</summary>
    Csv,

    /// <summary>With the proof, as docs/audit-proof.md describes it.</summary>
    Ndjson,
}

/// <summary>
/// All entries that fit, oldest first, as they come out of the database. CSV is for spreadsheets: a cell that one of them
/// would take for a formula begins with an apostrophe. NDJSON, newline-delimited JSON, is what can be verified without VTP.
/// </summary>
/// <param name="OrgId">One organization. NDJSON needs it, as a chain is one organization's; in CSV all of the caller's when absent.</param>
/// <param name="Format"><c>csv</c>, or <c>ndjson</c>, which an Accept of application/x-ndjson asks for too.</param>
/// <param name="UserEmail">As in the list, like all filters.</param>
/// <param name="StartDate">A day in UTC (2026-11-21) or a moment (RFC 3339); included.</param>
/// <param name="EndDate">Likewise; a day counts as a whole.</param>
[Requires(Permission.ViewAuditLogs)]
[RequestCost(10)]
[OpenToKeys(KeyScopes.AuditRead)]
[Audited(AuditActions.AuditExported)]
public sealed record ExportAuditLogsQuery(
    Guid? OrgId,
    AuditExportFormat Format,
    string? UserEmail,
    string? Action,
    string? Resource,
    Guid? ResourceId,
    AuditOutcome? Status,
    ActorType? ActorType,
    string? StartDate,
    string? EndDate) : IQuery<AuditDownload>, IAboutOrganization, IAuditFilter
{
    OrganizationId? IAboutOrganization.Organization => AuditOrganizations.Of(OrgId);
}

/// <summary>A file that is written while it is read from the database.</summary>
public sealed record AuditDownload(string ContentType, string FileName, Func<Stream, CancellationToken, Task> WriteAsync);

/// <summary>The trail as a whole, as far as the request may see it.</summary>
public interface IAuditTrail
{
    Task WriteCsvAsync(AuditFilter filter, Stream output, CancellationToken cancellationToken);

    /// <param name="filter">Which entries.</param>
    /// <param name="filters">What of it was asked for, as the export's first line says it.</param>
    /// <param name="output">Stays the caller's.</param>
    /// <param name="cancellationToken">Ends the query too.</param>
    Task WriteProofAsync(AuditFilter filter, IReadOnlyDictionary<string, string> filters, Stream output, CancellationToken cancellationToken);

    /// <param name="report">Is called for each finding.</param>
    /// <param name="cancellationToken">Ends the query too.</param>
    Task<AuditSummary> VerifyAsync(Action<AuditFinding> report, CancellationToken cancellationToken);
}

internal sealed class ExportAuditLogsValidator : AuditFilterValidator<ExportAuditLogsQuery>;

internal sealed class ExportAuditLogsHandler(IAuditTrail trail, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ExportAuditLogsQuery, Result<AuditDownload>>
{
    private static readonly Refusal OrganizationNeeded =
        Refusal.Field("org_id", "audit.organization_needed", "Name the organization: a chain belongs to one.");

    public Task<Result<AuditDownload>> Handle(ExportAuditLogsQuery request, CancellationToken cancellationToken) => Task.FromResult(Answer(request));

    private Result<AuditDownload> Answer(ExportAuditLogsQuery request)
    {
        audit.TargetId = request.OrgId;
        return request is { Format: AuditExportFormat.Ndjson, OrgId: null }
            ? OrganizationNeeded
            : trail.Download(request.Format, request, clock.GetUtcNow());
    }
}

internal static class AuditDownloads
{
    public static AuditDownload Download(this IAuditTrail trail, AuditExportFormat format, IAuditFilter asked, DateTimeOffset now)
    {
        var filter = AuditFilter.Of(asked);
        var name = $"audit_logs_{now.UtcDateTime.ToString("yyyy-MM-dd_HHmmss", CultureInfo.InvariantCulture)}";
        return format == AuditExportFormat.Ndjson
            ? new AuditDownload("application/x-ndjson", $"{name}.ndjson", (output, ct) => trail.WriteProofAsync(filter, AuditFilter.Named(asked), output, ct))
            : new AuditDownload("text/csv; charset=utf-8", $"{name}.csv", (output, ct) => trail.WriteCsvAsync(filter, output, ct));
    }
}
