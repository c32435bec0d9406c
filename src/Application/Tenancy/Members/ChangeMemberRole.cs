using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>Another role for a member, from the next request on. Only owners appoint and demote owners; the last one stays.</summary>
/// <param name="UserId">Of the membership or of the account.</param>
[Requires(Permission.ManageTeam)]
[Audited(AuditActions.TeamMemberUpdated)]
public sealed record ChangeMemberRoleCommand([property: JsonIgnore] Guid Id, [property: JsonIgnore] Guid UserId, MemberRole? Role)
    : ICommand<MemberChanged>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class ChangeMemberRoleValidator : AbstractValidator<ChangeMemberRoleCommand>
{
    public ChangeMemberRoleValidator() => RuleFor(command => command.Role).NotNull().WithMessage("Choose Owner, Admin, Developer or Viewer.");
}

internal sealed class ChangeMemberRoleHandler(IVtpDb db, ICaller caller, AuditSubject audit)
    : IRequestHandler<ChangeMemberRoleCommand, Result<MemberChanged>>
{
    public async Task<Result<MemberChanged>> Handle(ChangeMemberRoleCommand request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        await db.BeginAsync(cancellationToken);
        if (!(await db.LockMemberAsync(id, request.UserId, caller, cancellationToken)).TryGet(out var member, out var refusal))
        {
            return refusal;
        }

        audit.TargetId = member.Id;
        if (request.Role == MemberRole.Owner && !await db.IsOwnerAsync(id, caller, cancellationToken))
        {
            return MemberRefusals.OwnersOnly;
        }

        if (member.Role == MemberRole.Owner && request.Role != MemberRole.Owner && await db.IsLastOwnerAsync(id, cancellationToken))
        {
            return MemberRefusals.LastOwner;
        }

        member.ChangeRole(request.Role!.Value);
        await db.SaveChangesAsync(cancellationToken);
        return new MemberChanged("Role changed.", await db.Members.AsNoTracking().Where(one => one.Id == member.Id).AsViews(db).SingleAsync(cancellationToken));
    }
}

/// <summary>Owners are counted and changed under the lock of their organization's row, one change after the other.</summary>
internal static class Owners
{
    /// <returns>The member, of whom nobody else can change the role until the transaction ends. Owners are touched by owners only.</returns>
    public static async Task<Result<Member>> LockMemberAsync(
        this IVtpDb db, OrganizationId organization, Guid memberOrAccountId, ICaller caller, CancellationToken cancellationToken)
    {
        await db.Organizations.ForUpdate().SingleAsync(one => one.Id == organization, cancellationToken);
        var member = await db.Members.ById(organization, memberOrAccountId).SingleOrDefaultAsync(cancellationToken);
        return member is null ? MemberRefusals.NotFound
            : member.Role == MemberRole.Owner && !await db.IsOwnerAsync(organization, caller, cancellationToken) ? MemberRefusals.OwnersOnly
            : member;
    }

    /// <summary>Commits that a member is none any more. The last owner stays.</summary>
    public static async Task<Refusal?> RemoveMemberAsync(
        this IVtpDb db, OrganizationId organization, Guid memberOrAccountId, ICaller caller, AuditSubject audit, CancellationToken cancellationToken)
    {
        await db.BeginAsync(cancellationToken);
        if (!(await db.LockMemberAsync(organization, memberOrAccountId, caller, cancellationToken)).TryGet(out var member, out var refusal))
        {
            return refusal;
        }

        audit.TargetId = member.Id;
        if (member.Role == MemberRole.Owner && await db.IsLastOwnerAsync(organization, cancellationToken))
        {
            return MemberRefusals.LastOwner;
        }

        member.Leave();
        db.Members.Remove(member);
        await db.SaveChangesAsync(cancellationToken);
        return null;
    }

    public static Task<bool> IsOwnerAsync(this IVtpDb db, OrganizationId organization, ICaller caller, CancellationToken cancellationToken)
    {
        var account = caller.Required().AccountId;
        return db.Members.AnyAsync(
            member => member.OrganizationId == organization && member.AccountId == account && member.Role == MemberRole.Owner, cancellationToken);
    }

    public static async Task<bool> IsLastOwnerAsync(this IVtpDb db, OrganizationId organization, CancellationToken cancellationToken) =>
        await db.Members.CountAsync(member => member.OrganizationId == organization && member.Role == MemberRole.Owner, cancellationToken) == 1;
}
