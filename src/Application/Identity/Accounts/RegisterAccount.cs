using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.Accounts;

/// <summary>
/// Creates an account and signs it in. The answer is the same whether or not somebody has registered this address
/// before: each registration is a claim, and the first to verify the address owns it.
/// </summary>
/// <param name="Email">Where mail reaches the person; compared without case.</param>
/// <param name="Password">8 to 128 characters, not on the list of common ones, not made of the person's own name.</param>
/// <param name="FullName">Up to 255 characters.</param>
/// <param name="Role"><c>student</c> (the default) or <c>teacher</c>; only an administrator may register an <c>admin</c>.</param>
/// <param name="Phone">Digits, spaces, a leading <c>+</c>.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.Register)]
[Audited(AuditActions.AccountRegistered)]
[Idempotent]
public sealed record RegisterAccountCommand(
    string? Email,
    string? Password,
    [property: Alias("name")] string? FullName,
    Role? Role,
    string? Phone) : ICommand<AccountRegistered>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

/// <summary>The account exists and is signed in; a mail to verify the address is on its way.</summary>
public sealed record AccountRegistered(
    Guid UserId,
    string Email,
    string FullName,
    Role Role,
    string Message,
    UserView User,
    string AccessToken,
    string RefreshToken,
    int ExpiresIn,
    string TokenType);

internal sealed class RegisterAccountValidator : AbstractValidator<RegisterAccountCommand>
{
    public RegisterAccountValidator()
    {
        RuleFor(command => command.Email).IsEmailAddress();
        RuleFor(command => command.Password).IsPassword();
        RuleFor(command => command.FullName).NotNull().WithMessage("Enter your name.").IsFullName();
        RuleFor(command => command.Phone).IsPhone();
        RuleFor(command => command.Role).IsInEnum();
    }
}

internal sealed class RegisterAccountHandler(
    IVtpDb db, IPasswordHasher passwords, PasswordPolicy policy, SessionStarter sessions, ICaller caller, TimeProvider clock)
    : IRequestHandler<RegisterAccountCommand, Result<AccountRegistered>>
{
    public async Task<Result<AccountRegistered>> Handle(RegisterAccountCommand request, CancellationToken cancellationToken)
    {
        var role = request.Role ?? Role.Student;
        if (role == Role.Admin && caller.SignedIn?.Role.Holds(Permission.ManageAccounts) != true)
        {
            return Refusal.Forbidden;
        }

        var email = EmailAddress.Parse(request.Email!);
        if (policy.Check(request.Password!, request.FullName!, email) is { } weak)
        {
            return weak;
        }

        var claimsSalt = await db.Accounts.WithEmail(email).Select(account => account.PasswordHash).FirstOrDefaultAsync(cancellationToken);
        if (!(await passwords.HashAsync(request.Password!, claimsSalt, cancellationToken)).TryGet(out var hash, out var busy))
        {
            return busy;
        }

        var now = clock.GetUtcNow();
        var account = Account.Register(email, request.FullName!, request.Phone, role, hash, now);
        db.Accounts.Add(account);
        db.Send(OutgoingEmail.To(email, EmailKind.VerifyEmail, account.Id, caller.IpAddress, caller.UserAgent, now));
        db.Record(account.Id, SecurityEventType.Registered, caller, now);
        var signedIn = sessions.Start(account, twoFactorEnabled: false, "pwd");
        await db.SaveChangesAsync(cancellationToken);

        return new AccountRegistered(
            account.Id.Value,
            account.Email.Value,
            account.FullName,
            account.Role,
            "Welcome. Check your mail to verify your address.",
            signedIn.User,
            signedIn.AccessToken,
            signedIn.RefreshToken,
            signedIn.ExpiresIn,
            signedIn.TokenType);
    }
}
