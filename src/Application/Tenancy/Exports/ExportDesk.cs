using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>
/// What exports of organizations and of projects have in common. Each use case names the project, or null for the
/// organization, which has its projects' exports in view too.
/// </summary>
internal sealed class ExportDesk(IVtpDb db, IArchiveStore store, TenantScope tenant, ICaller caller, AuditSubject audit, TimeProvider clock)
{
    public async Task<Result<ExportView>> StartAsync(ProjectId? project, CancellationToken cancellationToken)
    {
        var (organization, now) = (tenant.Organization!.Value, clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);

        // One after another, so that the limit holds; and it is the organization's, whichever project asks.
        await db.Organizations.ForUpdate().SingleAsync(one => one.Id == organization, cancellationToken);
        tenant.Enter(organization, project: null, tenant.AuditRetentionDays);
        var kept = await Kept(project: null).CountAsync(one => one.State != ExportState.Failed, cancellationToken);
        tenant.Enter(organization, project, tenant.AuditRetentionDays);
        await DescribeAsync(project, cancellationToken);
        if (kept >= ArchiveExport.MaximumPerOrganization)
        {
            return ExportRefusals.TooMany;
        }

        var export = ArchiveExport.Of(organization, project, caller.Required().AccountId, now);
        db.ArchiveExports.Add(export);
        db.Enqueue(new WriteExportCommand(export.Id), uniqueKey: export.Id.ToString());
        await db.SaveChangesAsync(cancellationToken);
        return ExportView.Of(await db.ArchiveExports.AsNoTracking().SingleAsync(one => one.Id == export.Id, cancellationToken));
    }

    public async Task<ExportList> ListAsync(ProjectId? project, CancellationToken cancellationToken)
    {
        var exports = await Kept(project).AsNoTracking().OrderByDescending(export => export.Id).ToListAsync(cancellationToken);
        return new ExportList([.. exports.Select(ExportView.Of)]);
    }

    public async Task<Result<ExportView>> GetAsync(ProjectId? project, Guid id, CancellationToken cancellationToken) =>
        await Kept(project).AsNoTracking().SingleOrDefaultAsync(one => one.Id == id, cancellationToken) is { } export
            ? ExportView.Of(export)
            : ExportRefusals.NotFound;

    public async Task<Result<ExportContent>> OpenAsync(ProjectId? project, Guid id, CancellationToken cancellationToken)
    {
        await DescribeAsync(project, cancellationToken);
        var export = await Kept(project).AsNoTracking().SingleOrDefaultAsync(one => one.Id == id, cancellationToken);
        return export switch
        {
            null => ExportRefusals.NotFound,
            { State: not ExportState.Ready } => ExportRefusals.NotReady,
            { ProjectId: { } of } => new ExportContent(ArchiveNames.Of(ArchiveKind.Project, of.Value), export.Sha256!, store.Open(export)),
            _ => new ExportContent(ArchiveNames.Of(ArchiveKind.Organization, export.OrganizationId.Value), export.Sha256!, store.Open(export)),
        };
    }

    public async Task<Result<Done>> DeleteAsync(ProjectId? project, Guid id, CancellationToken cancellationToken)
    {
        await DescribeAsync(project, cancellationToken);
        var export = await Kept(project).SingleOrDefaultAsync(one => one.Id == id, cancellationToken);
        switch (export)
        {
            case null:
                return ExportRefusals.NotFound;
            case { State: ExportState.Running }:
                return ExportRefusals.Running; // Whoever writes its chunks holds on to it.
        }

        db.ArchiveExports.Remove(export);
        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }

    private IQueryable<ArchiveExport> Kept(ProjectId? project)
    {
        var (organization, now) = (tenant.Organization!.Value, clock.GetUtcNow());
        var exports = db.ArchiveExports.Where(export => export.OrganizationId == organization && (export.ExpiresAt == null || export.ExpiresAt > now));
        return project is null ? exports : exports.Where(export => export.ProjectId == project);
    }

    private async Task DescribeAsync(ProjectId? project, CancellationToken cancellationToken)
    {
        var organization = tenant.Organization!.Value;
        (audit.TargetId, audit.TargetName) = project is { } one
            ? (one.Value, await db.Projects.Where(named => named.Id == one).Select(named => named.Name).SingleAsync(cancellationToken))
            : (organization.Value, await db.Organizations.Where(named => named.Id == organization).Select(named => named.Name).SingleAsync(cancellationToken));
    }
}
