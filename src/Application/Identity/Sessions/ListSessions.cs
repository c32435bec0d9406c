using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Application.Identity.Sessions;

/// <summary>Where the account is signed in, the most recently used first.</summary>
[Requires(Permission.SignedIn)]
public sealed record ListSessionsQuery(int? Page, int? Limit) : IQuery<Page<SessionView>>;

/// <param name="Current">The session that asks.</param>
/// <param name="Methods">How the person proved who they are, in the words of RFC 8176: pwd, otp, mfa.</param>
/// <param name="LastSeenAt">The last refresh, or the sign-in.</param>
public sealed record SessionView(
    Guid Id,
    bool Current,
    string? IpAddress,
    string? UserAgent,
    IReadOnlyList<string> Methods,
    DateTimeOffset CreatedAt,
    DateTimeOffset LastSeenAt);

internal sealed class ListSessionsHandler(IVtpDb db, SessionPolicy policy, ICaller caller, TimeProvider clock)
    : IRequestHandler<ListSessionsQuery, Result<Page<SessionView>>>
{
    public async Task<Result<Page<SessionView>>> Handle(ListSessionsQuery request, CancellationToken cancellationToken)
    {
        var (signedIn, now) = (caller.Required(), clock.GetUtcNow());
        var (usedSince, startedSince) = (now - policy.Idle, now - policy.Absolute);
        return await db.Sessions
            .OpenOf(signedIn.AccountId)
            .Where(session => session.LastSeenAt > usedSince && session.CreatedAt > startedSince)
            .OrderByDescending(session => session.LastSeenAt)
            .Select(session => new SessionView(
                session.Id.Value,
                session.Id == signedIn.SessionId,
                session.IpAddress,
                session.UserAgent,
                session.Methods,
                session.CreatedAt,
                session.LastSeenAt))
            .ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
