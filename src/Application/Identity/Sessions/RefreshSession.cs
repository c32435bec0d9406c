using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>
/// Exchanges a refresh token for a new pair. Parallel refreshes with one token all get the same successor for 30 s;
/// a token that comes back later than that ends its session and nothing else.
/// </summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.Refresh)]
public sealed record RefreshSessionCommand(string? RefreshToken) : ICommand<SessionRefreshed>;

/// <param name="RefreshToken">Replaces the one that was sent.</param>
/// <param name="ExpiresIn">Seconds until the access token expires.</param>
/// <param name="TokenType">Always <c>Bearer</c>.</param>
public sealed record SessionRefreshed(string AccessToken, string RefreshToken, int ExpiresIn, string TokenType);

internal sealed class RefreshSessionValidator : AbstractValidator<RefreshSessionCommand>
{
    public RefreshSessionValidator() => RuleFor(command => command.RefreshToken).NotEmpty().WithMessage("The refresh token is missing.");
}

internal sealed class RefreshSessionHandler(IVtpDb db, IAccessTokens tokens, SessionPolicy policy, ICaller caller, TimeProvider clock)
    : IRequestHandler<RefreshSessionCommand, Result<SessionRefreshed>>
{
    public async Task<Result<SessionRefreshed>> Handle(RefreshSessionCommand request, CancellationToken cancellationToken)
    {
        if (!RefreshToken.TryParse(request.RefreshToken, out var presented))
        {
            return SessionRefusals.TokenRejected;
        }

        // Locked, so that of parallel refreshes one rotates and the others find its work done.
        await db.BeginAsync(cancellationToken);
        var session = await db.Sessions.ForUpdate().SingleOrDefaultAsync(session => session.Id == presented.SessionId, cancellationToken);
        if (session is null)
        {
            return SessionRefusals.TokenRejected;
        }

        var now = clock.GetUtcNow();
        if (!session.Refresh(presented, policy, now).TryGet(out var next, out var refusal))
        {
            if (refusal == SessionRefusals.TokenReused)
            {
                db.Record(session.AccountId, SecurityEventType.RefreshTokenReused, caller, now);
                await db.SaveUnauditedAsync(cancellationToken);
            }

            return refusal;
        }

        var account = await db.Accounts.AsNoTracking().SingleAsync(account => account.Id == session.AccountId, cancellationToken);
        if (account.IsDisabled)
        {
            return AccountRefusals.Disabled;
        }

        await db.SaveChangesAsync(cancellationToken);
        return new SessionRefreshed(tokens.Issue(account, session), next.Reveal(), (int)tokens.Lifetime.TotalSeconds, "Bearer");
    }
}
