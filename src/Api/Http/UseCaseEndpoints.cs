using System.Reflection;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Api.Http;

/// <summary>What a route runs: names the operation, and lets OpenAPI say who may call it and how it refuses.</summary>
internal sealed record UseCaseMetadata(Type UseCase)
{
    public string Name { get; } = UseCase.Name.EndsWith("Command", StringComparison.Ordinal) ? UseCase.Name[..^7] : UseCase.Name[..^5];

    public Permission Permission { get; } = UseCase.GetCustomAttribute<RequiresAttribute>()!.Permission;

    /// <summary>What an API key needs to run it; null when only a person can.</summary>
    public OpenToKeysAttribute? OpenToKeys { get; } = UseCase.GetCustomAttribute<OpenToKeysAttribute>();

    public bool IsIdempotent { get; } = UseCase.IsDefined(typeof(IdempotentAttribute));

    /// <summary>Refusals that follow from how the use case is declared.</summary>
    public IEnumerable<int> DeclaredRefusals()
    {
        if (UseCase.GetProperties().Length > 0)
        {
            yield return StatusCodes.Status400BadRequest;
        }

        if (Permission != Permission.Anyone)
        {
            yield return StatusCodes.Status401Unauthorized;
        }

        if (Permission is not (Permission.Anyone or Permission.SignedIn))
        {
            yield return StatusCodes.Status403Forbidden;
        }

        if (UseCase.IsAssignableTo(typeof(IAboutOrganization)) || UseCase.IsAssignableTo(typeof(IAboutProject)))
        {
            yield return StatusCodes.Status404NotFound;
        }

        if (IsIdempotent)
        {
            yield return StatusCodes.Status409Conflict;
            yield return StatusCodes.Status422UnprocessableEntity;
        }

        yield return StatusCodes.Status429TooManyRequests;
    }
}

/// <summary>A route that runs no use case and is open to all, with the reason why it may be.</summary>
internal sealed record OpenToAllMetadata(string Reason);

/// <summary>A route whose answers no cache may keep.</summary>
internal sealed record NeverStoredMetadata;

internal static class UseCaseEndpoints
{
    /// <summary>Says which use case the route runs.</summary>
    /// <param name="endpoint">The route.</param>
    /// <param name="summary">One line for the list of operations.</param>
    /// <param name="refusals">Statuses of refusals that the use case's own declaration does not tell.</param>
    public static RouteHandlerBuilder Runs<TUseCase>(this RouteHandlerBuilder endpoint, string summary, params int[] refusals)
    {
        var useCase = new UseCaseMetadata(typeof(TUseCase));
        foreach (var status in useCase.DeclaredRefusals().Union(refusals).Order())
        {
            endpoint.Produces<Problem>(status, Problems.ContentType);
        }

        return endpoint.WithName(useCase.Name).WithSummary(summary).WithMetadata(useCase, UseCaseLimits.Of(useCase.UseCase));
    }

    public static TBuilder OpenToAll<TBuilder>(this TBuilder endpoint, string reason)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new OpenToAllMetadata(reason));

    /// <summary>For groups whose answers hold tokens, codes or secrets.</summary>
    public static RouteGroupBuilder NeverStored(this RouteGroupBuilder group) => group.WithMetadata(new NeverStoredMetadata());
}
