using MediatR;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Takes from the budgets that the use case declares, unless the door has done so already.</summary>
internal sealed class RateLimitBehaviour<TRequest, TResponse>(RequestLimits limits) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    private static readonly UseCaseLimits Limits = UseCaseLimits.Of(typeof(TRequest));

    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        limits.HasTaken(Limits) ? next() : TakeAsync(request, next, cancellationToken);

    private async Task<TResponse> TakeAsync(TRequest request, RequestHandlerDelegate<TResponse> next, CancellationToken cancellationToken) =>
        await limits.TakeAsync(Limits, (request as IRateLimitTarget)?.RateLimitTarget, cancellationToken) is { } refusal
            ? TResponse.Refused(refusal)
            : await next();
}
