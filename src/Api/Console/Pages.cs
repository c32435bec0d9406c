using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Domain.Common;

namespace Vtp.Api.Console;

/// <summary>What every page is made with, whoever it is for.</summary>
internal static class Pages
{
    private const string Closed = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static IResult Page<TPage>(object parameters, Refusal? refusal = null)
        where TPage : IComponent
    {
        var page = new RazorComponentResult<TPage>(parameters);
        return refusal is null ? page : new RefusedPage(refusal, page);
    }

    /// <summary>The JSON route of the same use case has its name; a page of the same name would be a second operation.</summary>
    public static RouteHandlerBuilder Runs(this RouteHandlerBuilder page, Type useCase) => page.WithMetadata(new UseCaseMetadata(useCase));

    /// <summary>A page that runs nothing: no script can, whoever smuggles one in.</summary>
    public static ValueTask<object?> SealAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) => Seal(context, next, Closed);

    /// <summary>A page that runs the script of this server, which asks this server alone.</summary>
    public static ValueTask<object?> SealLiveAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        Seal(context, next, $"{Closed}; script-src 'self'; connect-src 'self'");

    private static ValueTask<object?> Seal(EndpointFilterInvocationContext context, EndpointFilterDelegate next, string policy)
    {
        var headers = context.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.CacheControl = "no-store";
        return next(context);
    }
}
