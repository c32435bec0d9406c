using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.EmailVerification;

/// <summary>The link of the verification mail. The first account to verify an address owns it.</summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
[Audited(AuditActions.AccountEmailVerified)]
public sealed record VerifyEmailCommand(string? Token) : ICommand<Message>;

internal sealed class VerifyEmailValidator : AbstractValidator<VerifyEmailCommand>
{
    public VerifyEmailValidator() => RuleFor(command => command.Token).IsOneTimeSecret();
}

internal sealed class VerifyEmailHandler(IVtpDb db, ICaller caller, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<VerifyEmailCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(VerifyEmailCommand request, CancellationToken cancellationToken)
    {
        var (hash, now) = (OneTimeSecret.Hash(request.Token!), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var token = await db.EmailVerificationTokens.ForUpdate().SingleOrDefaultAsync(token => token.TokenHash == hash, cancellationToken);
        if (token is null || token.ExpiresAt <= now)
        {
            return EmailVerificationRefusals.TokenRejected;
        }

        var account = await db.Accounts.SingleAsync(account => account.Id == token.AccountId, cancellationToken);
        audit.TargetId = account.Id.Value;
        if (await db.Accounts.AnyAsync(other => other.Email == account.Email && other.EmailVerifiedAt != null && other.Id != account.Id, cancellationToken))
        {
            return AccountRefusals.AddressTaken;
        }

        account.ProveMailbox(now);
        db.EmailVerificationTokens.Remove(token);
        db.Record(account.Id, SecurityEventType.EmailVerified, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Your address is verified.");
    }
}
