using System.Reflection;
using MediatR;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Nobody reaches a handler whose permission they do not hold.</summary>
internal sealed class AuthorizationBehaviour<TRequest, TResponse>(Access access) : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    private static readonly Permission Required = typeof(TRequest).GetCustomAttribute<RequiresAttribute>()!.Permission;
    private static readonly OpenToKeysAttribute? OpenToKeys = typeof(TRequest).GetCustomAttribute<OpenToKeysAttribute>();

    private static readonly bool IsOpenToAll = Required == Permission.Anyone;

    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next) =>
        IsOpenToAll || access.IsHeld(Required) ? next() : EnterAsync(request, next, cancellationToken);

    private async Task<TResponse> EnterAsync(TRequest request, RequestHandlerDelegate<TResponse> next, CancellationToken cancellationToken) =>
        await access.EnterAsync(Required, OpenToKeys, request, cancellationToken) is { } refusal
            ? TResponse.Refused(refusal)
            : await next();
}
