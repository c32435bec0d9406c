using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Limits;

/// <summary>What the caller may still ask for: every budget of theirs that does not depend on what they send. Asking takes from it as any request does.</summary>
[Requires(Permission.Anyone)]
public sealed record GetLimitsQuery : IQuery<LimitList>;

public sealed record LimitList(IReadOnlyList<LimitView> Data);

/// <param name="Policy">As RateLimit-Policy names it.</param>
/// <param name="CountedBy">What shares this budget.</param>
/// <param name="Limit">Requests for each period, evenly spread.</param>
/// <param name="PeriodSeconds">How long a period is.</param>
/// <param name="Burst">Requests that may come at once beyond the even pace.</param>
/// <param name="Remaining">Requests that would be admitted at once.</param>
/// <param name="MoreInSeconds">When there will be more than that; 0 when the budget is whole.</param>
public sealed record LimitView(string Policy, RateLimitScope CountedBy, int Limit, double PeriodSeconds, int Burst, int Remaining, double MoreInSeconds);

internal sealed class GetLimitsHandler(RequestLimits limits, IRateLimiter limiter) : IRequestHandler<GetLimitsQuery, Result<LimitList>>
{
    public async Task<Result<LimitList>> Handle(GetLimitsQuery request, CancellationToken cancellationToken) =>
        new LimitList([.. (await limits.ReadAsync(cancellationToken)).Select(View)]);

    private LimitView View(RateLimitState state)
    {
        var policy = limiter.PolicyOf(state.Policy);
        return new LimitView(
            state.Policy, policy.Scope, policy.Limit, policy.Period.TotalSeconds, policy.Burst, state.Remaining, Math.Round(state.UntilMore.TotalSeconds, 3));
    }
}
