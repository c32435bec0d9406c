using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Administration;

/// <summary>Another role for an account. Its sessions end, because their tokens say the old one. The last administrator stays.</summary>
[Requires(Permission.ManageAccounts)]
[Audited(AuditActions.AccountRoleChanged)]
public sealed record ChangeUserRoleCommand([property: JsonIgnore] Guid Id, Role? Role) : ICommand<ManagedUser>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

internal sealed class ChangeUserRoleValidator : AbstractValidator<ChangeUserRoleCommand>
{
    public ChangeUserRoleValidator() => RuleFor(command => command.Role).NotNull().WithMessage("Choose student, teacher or admin.").IsInEnum();
}

internal sealed class ChangeUserRoleHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<ChangeUserRoleCommand, Result<ManagedUser>>
{
    public async Task<Result<ManagedUser>> Handle(ChangeUserRoleCommand request, CancellationToken cancellationToken)
    {
        var (id, now) = (new AccountId(request.Id), clock.GetUtcNow());
        audit.TargetId = request.Id;
        await db.BeginAsync(cancellationToken);
        if (request.Role != Role.Admin && await db.IsLastAdministratorAsync(id, cancellationToken))
        {
            return AccountRefusals.LastAdministrator;
        }

        var account = await db.Accounts.SingleOrDefaultAsync(account => account.Id == id, cancellationToken);
        if (account is null)
        {
            return AccountRefusals.NotFound;
        }

        if (account.Role != request.Role)
        {
            account.ChangeRole(request.Role!.Value, now);
            await db.EndSessionsAsync(id, except: null, SessionEnd.AccountChanged, now, cancellationToken);
            db.Record(id, SecurityEventType.RoleChanged, caller, now);
        }

        await db.SaveChangesAsync(cancellationToken);
        return await db.ManagedAsync(id, cancellationToken);
    }
}
