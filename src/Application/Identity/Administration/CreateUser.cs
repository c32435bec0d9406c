using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.Administration;

/// <summary>An account in any role, for somebody else. They verify the address, and may set their own password by a reset link.</summary>
/// <param name="Password">Absent: the person chooses one by a reset link, or signs in by mailed codes.</param>
[Requires(Permission.ManageAccounts)]
[Idempotent]
[Audited(AuditActions.AccountCreated)]
public sealed record CreateUserCommand(
    string? Email, [property: Alias("name")] string? FullName, Role? Role, string? Phone, string? Password) : ICommand<ManagedUser>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

internal sealed class CreateUserValidator : AbstractValidator<CreateUserCommand>
{
    public CreateUserValidator()
    {
        RuleFor(command => command.Email).IsEmailAddress();
        RuleFor(command => command.FullName).NotNull().WithMessage("Enter a name.").IsFullName();
        RuleFor(command => command.Role).NotNull().WithMessage("Choose student, teacher or admin.").IsInEnum();
        RuleFor(command => command.Phone).IsPhone();
        RuleFor(command => command.Password).IsPassword().When(command => command.Password is not null);
    }
}

internal sealed class CreateUserHandler(
    IVtpDb db, IPasswordHasher passwords, PasswordPolicy policy, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateUserCommand, Result<ManagedUser>>
{
    public async Task<Result<ManagedUser>> Handle(CreateUserCommand request, CancellationToken cancellationToken)
    {
        var email = EmailAddress.Parse(request.Email!);
        var claims = await db.Accounts.WithEmail(email).ToListAsync(cancellationToken);
        if (claims.Exists(claim => claim.OwnsEmail))
        {
            return AccountRefusals.AddressTaken;
        }

        string? hash = null;
        if (request.Password is { } password)
        {
            if (policy.Check(password, request.FullName!, email) is { } weak)
            {
                return weak;
            }

            if (!(await passwords.HashAsync(password, claims.FirstOrDefault()?.PasswordHash, cancellationToken)).TryGet(out hash, out var busy))
            {
                return busy;
            }
        }

        var now = clock.GetUtcNow();
        var account = Account.Register(email, request.FullName!, request.Phone, request.Role!.Value, hash, now);
        audit.TargetId = account.Id.Value;
        db.Accounts.Add(account);
        db.Send(OutgoingEmail.To(email, EmailKind.VerifyEmail, account.Id, caller.IpAddress, caller.UserAgent, now));
        await db.SaveChangesAsync(cancellationToken);
        return await db.ManagedAsync(account.Id, cancellationToken);
    }
}
