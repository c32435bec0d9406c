using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Domain.Common;

namespace Vtp.Api.Http;

/// <summary>Turns what a use case answered into what HTTP says.</summary>
internal static class ResultHttp
{
    extension<T>(Result<T> result)
        where T : notnull
    {
        public Results<Ok<T>, RefusedHttpResult> ToHttp() => result.Match<Results<Ok<T>, RefusedHttpResult>>(
            answer => TypedResults.Ok(answer),
            refusal => new RefusedHttpResult(refusal));

        public Results<Created<T>, RefusedHttpResult> ToCreated(Func<T, string?> location) =>
            result.Match<Results<Created<T>, RefusedHttpResult>>(
                answer => TypedResults.Created(location(answer), answer),
                refusal => new RefusedHttpResult(refusal));
    }

    public static Results<NoContent, RefusedHttpResult> ToNoContent(this Result<Done> result) =>
        result.Match<Results<NoContent, RefusedHttpResult>>(_ => TypedResults.NoContent(), refusal => new RefusedHttpResult(refusal));
}

/// <summary>A refusal on its way out.</summary>
internal sealed class RefusedHttpResult(Refusal refusal) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) => Problems.WriteAsync(httpContext, refusal);
}
