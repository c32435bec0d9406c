using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.PasswordReset;

namespace Vtp.Application.Identity.PasswordReset;

/// <summary>Whether a reset link still works, before the person chooses a password. Does not use it up.</summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.OneTimeSecret)]
public sealed record VerifyResetTokenCommand(string? Token) : ICommand<ResetTokenVerified>;

/// <param name="Valid">Always true; a link that does not work is refused.</param>
/// <param name="Email">Whose password the link will set.</param>
public sealed record ResetTokenVerified(bool Valid, Guid UserId, string Email, DateTimeOffset ExpiresAt);

internal sealed class VerifyResetTokenValidator : AbstractValidator<VerifyResetTokenCommand>
{
    public VerifyResetTokenValidator() => RuleFor(command => command.Token).IsOneTimeSecret();
}

internal sealed class VerifyResetTokenHandler(IVtpDb db, TimeProvider clock)
    : IRequestHandler<VerifyResetTokenCommand, Result<ResetTokenVerified>>
{
    public async Task<Result<ResetTokenVerified>> Handle(VerifyResetTokenCommand request, CancellationToken cancellationToken)
    {
        var (hash, now) = (OneTimeSecret.Hash(request.Token!), clock.GetUtcNow());
        var verified = await db.PasswordResetTokens.AsNoTracking()
            .Where(token => token.TokenHash == hash && token.ExpiresAt > now)
            .Join(
                db.Accounts,
                token => token.AccountId,
                account => account.Id,
                (token, account) => new ResetTokenVerified(true, account.Id.Value, account.Email.Value, token.ExpiresAt))
            .SingleOrDefaultAsync(cancellationToken);
        return verified is null ? PasswordResetRefusals.TokenRejected : verified;
    }
}
