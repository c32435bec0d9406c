using System.Reflection;
using MediatR;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Nobody reaches a handler whose permission they do not hold.</summary>
internal sealed class AuthorizationBehaviour<TRequest, TResponse>(ICaller caller) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    private static readonly Permission Required = typeof(TRequest).GetCustomAttribute<RequiresAttribute>()!.Permission;

    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        caller.May(Required)
            ? next()
            : Task.FromResult(TResponse.Refused(caller.SignedIn is null ? Refusal.Unauthenticated : Refusal.Forbidden));
}
