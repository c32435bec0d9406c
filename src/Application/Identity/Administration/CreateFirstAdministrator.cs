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
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.Administration;

/// <summary>Makes the first administrator of a new installation, by the link that the server printed at its start.</summary>
/// <param name="Token">From the link: 30 minutes, once.</param>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.InstallationSetUp)]
[Idempotent]
public sealed record CreateFirstAdministratorCommand(
    string? Token, string? Email, [property: Alias("name")] string? FullName, string? Password) : ICommand<SignedIn>, IInvalidates
{
    IReadOnlyCollection<CacheTag> IInvalidates.InvalidatedIn(TenantScope tenant) => AccountCacheTags.All;
}

internal sealed class CreateFirstAdministratorValidator : AbstractValidator<CreateFirstAdministratorCommand>
{
    public CreateFirstAdministratorValidator()
    {
        RuleFor(command => command.Token).IsOneTimeSecret();
        RuleFor(command => command.FullName).NotNull().WithMessage("Enter your name.").IsFullName();
        RuleFor(command => command.Email).IsEmailAddress();
        RuleFor(command => command.Password).IsPassword();
    }
}

internal sealed class CreateFirstAdministratorHandler(
    IVtpDb db, IPasswordHasher passwords, PasswordPolicy policy, SessionStarter sessions, ICaller caller, TimeProvider clock)
    : IRequestHandler<CreateFirstAdministratorCommand, Result<SignedIn>>
{
    public async Task<Result<SignedIn>> Handle(CreateFirstAdministratorCommand request, CancellationToken cancellationToken)
    {
        var (tokenHash, email, now) = (OneTimeSecret.Hash(request.Token!), EmailAddress.Parse(request.Email!), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);

        // All of them, so that posts with the links of several starts come one after the other too.
        var links = await db.SetupLinks.OrderBy(link => link.TokenHash).ForUpdate().ToListAsync(cancellationToken);
        if (!links.Exists(link => link.TokenHash.AsSpan().SequenceEqual(tokenHash) && link.ExpiresAt > now))
        {
            return SetupRefusals.LinkRejected;
        }

        if (await db.Accounts.AnyAsync(account => account.Role == Role.Admin, cancellationToken))
        {
            return SetupRefusals.AlreadySetUp;
        }

        if (policy.Check(request.Password!, request.FullName!, email) is { } weak)
        {
            return weak;
        }

        var claims = await db.Accounts.WithEmail(email).ToListAsync(cancellationToken);
        if (claims.Exists(claim => claim.OwnsEmail))
        {
            return AccountRefusals.AddressTaken;
        }

        if (!(await passwords.HashAsync(request.Password!, claims.FirstOrDefault()?.PasswordHash, cancellationToken)).TryGet(out var hash, out var busy))
        {
            return busy;
        }

        var administrator = Account.Register(email, request.FullName!, phone: null, Role.Admin, hash, now);

        // Whoever can read the server's output owns the installation; a mail round trip would prove less.
        administrator.ProveMailbox(now);
        db.Accounts.Add(administrator);
        db.SetupLinks.RemoveRange(links);
        db.Record(administrator.Id, SecurityEventType.Registered, caller, now);
        var signedIn = sessions.Start(administrator, twoFactorEnabled: false, "pwd");
        await db.SaveChangesAsync(cancellationToken);
        return signedIn;
    }
}
