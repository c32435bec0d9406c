using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Domain.Common;

namespace Vtp.Api.Http;

/// <summary>A large answer as gzip (RFC 9110 section 8.4.1.3), for a client that says it takes it.</summary>
internal sealed class ZippedHttpResult<T>(T answer) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        await using var zipped = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await JsonSerializer.SerializeAsync(zipped, answer, Json.Options, httpContext.RequestAborted);
    }
}

internal static class Zipping
{
    // What is smaller fits into a few packets anyway.
    private const int WorthIt = 8 * 1024;

    /// <param name="result">What the use case answered.</param>
    /// <param name="request">Says what the client takes.</param>
    /// <param name="size">About how many bytes the answer has.</param>
    public static Results<Ok<T>, ZippedHttpResult<T>, RefusedHttpResult> ToZippable<T>(this Result<T> result, HttpRequest request, Func<T, int> size)
        where T : notnull =>
        !result.TryGet(out var answer, out var refusal) ? new RefusedHttpResult(refusal)
        : size(answer) >= WorthIt && request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase) ? new ZippedHttpResult<T>(answer)
        : TypedResults.Ok(answer);
}
