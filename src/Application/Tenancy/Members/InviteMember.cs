using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Notifications;
using Vtp.Application.Tenancy.Invitations;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>Asks somebody by mail to join. The invitation holds for 7 days; the token is in the mail alone.</summary>
/// <param name="Email">Who may accept.</param>
/// <param name="Name">2 to 100 characters, for the mail.</param>
/// <param name="Role">Admin, Developer or Viewer. Owners are appointed among members.</param>
[Requires(Permission.ManageTeam)]
[Audited(AuditActions.TeamMemberInvited)]
[Idempotent]
public sealed record InviteMemberCommand([property: JsonIgnore] Guid Id, string? Email, string? Name, MemberRole? Role)
    : ICommand<MemberInvited>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

/// <param name="InviteUrl">The page that the mail leads to; without the token, which only the invited may know.</param>
public sealed record MemberInvited(string Message, InvitationView Invitation, string InviteUrl);

internal sealed class InviteMemberValidator : AbstractValidator<InviteMemberCommand>
{
    private const int ShortestName = 2;

    public InviteMemberValidator()
    {
        RuleFor(command => command.Email).IsEmailAddress();
        RuleFor(command => command.Name).NotNull().WithMessage("Enter a name.").IsName(ShortestName);
        RuleFor(command => command.Role).NotNull().WithMessage("Choose Admin, Developer or Viewer.")
            .Must(role => role != MemberRole.Owner).WithMessage("Choose Admin, Developer or Viewer.");
    }
}

internal sealed class InviteMemberHandler(IVtpDb db, TenancyLimits limits, ILinks links, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<InviteMemberCommand, Result<MemberInvited>>
{
    public async Task<Result<MemberInvited>> Handle(InviteMemberCommand request, CancellationToken cancellationToken)
    {
        var (id, email, now) = (new OrganizationId(request.Id), EmailAddress.Parse(request.Email!), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var organization = await db.Organizations.ForUpdate().SingleAsync(organization => organization.Id == id, cancellationToken);
        audit.TargetName = email.Value;
        if (await db.Members.AnyAsync(
            member => member.OrganizationId == id && db.Accounts.Any(account => account.Id == member.AccountId && account.Email == email),
            cancellationToken))
        {
            return MemberRefusals.AlreadyMember;
        }

        if (await db.Members.CountAsync(member => member.OrganizationId == id, cancellationToken) >= limits.SeatsOf(organization.Plan))
        {
            return OrganizationRefusals.SeatsTaken;
        }

        var open = await db.Invitations.Where(invitation => invitation.OrganizationId == id && invitation.ClosedAt == null && invitation.Email == email)
            .SingleOrDefaultAsync(cancellationToken);
        if (open?.StatusAt(now) == InvitationStatus.Pending)
        {
            return InvitationRefusals.Pending;
        }

        if (await db.Invitations.CountAsync(invitation => invitation.OrganizationId == id && invitation.ClosedAt == null, cancellationToken) >= limits.OpenInvitations)
        {
            return InvitationRefusals.TooMany;
        }

        if (open is not null)
        {
            // Saved by itself, for the new one takes its place in a unique index; the transaction holds both together.
            open.Expire(now);
            await db.SaveForNowAsync(cancellationToken);
        }

        var invitation = Invitation.To(email, request.Name!, request.Role!.Value, id, caller.Required().AccountId, now);
        db.Invitations.Add(invitation);
        db.Send(OutgoingEmail.About(invitation.Id, email, EmailKind.Invitation, now));
        audit.TargetId = invitation.Id;
        await db.SaveChangesAsync(cancellationToken);
        return new MemberInvited("Invitation sent.", InvitationView.Of(invitation, now), links.Invitations);
    }
}
