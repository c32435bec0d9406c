using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Archives;

/// <summary>
/// Restores an organization from its archive: all of it or nothing. People whose account is here already keep it as it
/// is; others get one without a password, and set theirs by the mail of <c>forgot-password</c>. The keys of its clients
/// work on.
/// </summary>
/// <param name="Archive">The ZIP.</param>
[Requires(Permission.Operate)]
[RateLimited(RateLimitPolicies.Upload)]
[Audited(AuditActions.OrganizationImported)]
[Idempotent]
public sealed record ImportOrganizationCommand(Stream Archive) : ICommand<OrganizationImported>;

/// <summary>What was restored.</summary>
/// <param name="PeopleCreated">Accounts that were made; they have no password yet.</param>
/// <param name="PeopleKept">Members whose account was here already.</param>
public sealed record OrganizationImported(Guid Id, string Name, int PeopleCreated, int PeopleKept, string Message);

internal sealed class ImportOrganizationHandler(IVtpDb db, IArchiveImporter archives, AuditSubject audit)
    : IRequestHandler<ImportOrganizationCommand, Result<OrganizationImported>>
{
    /// <summary>
    /// The entry of it stands in the installation's trail: that of the organization comes from the archive, and goes on
    /// where it ended.
    /// </summary>
    public async Task<Result<OrganizationImported>> Handle(ImportOrganizationCommand request, CancellationToken cancellationToken)
    {
        if (!(await archives.ReceiveAsync(request.Archive, ArchiveKind.Organization, cancellationToken)).TryGet(out var archive, out var refusal))
        {
            return refusal;
        }

        await using var received = archive;
        (audit.TargetId, audit.TargetName) = (archive.Id, archive.Name);
        await db.BeginAsync(cancellationToken);
        if (!(await archive.RestoreAsync(new OrganizationId(archive.Id), cancellationToken)).TryGet(out var restored, out refusal))
        {
            return refusal;
        }

        await db.SaveChangesAsync(cancellationToken);
        return new OrganizationImported(
            archive.Id, archive.Name, restored.PeopleCreated, restored.PeopleKept, "Organization imported. New people set their password by the forgot-password mail.");
    }
}
