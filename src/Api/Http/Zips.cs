using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Vtp.Application.Tenancy.Archives;
using Vtp.Application.Tenancy.Exports;
using Vtp.Domain.Common;

namespace Vtp.Api.Http;

/// <summary>Bodies that are ZIP files.</summary>
internal static class Zips
{
    private const string ContentType = "application/zip";

    public static RouteHandlerBuilder AnswersZip(this RouteHandlerBuilder endpoint) =>
        endpoint.Produces<Stream>(StatusCodes.Status200OK, ContentType);

    /// <summary>Other content types are 415, and larger bodies 413.</summary>
    public static RouteHandlerBuilder TakesZip(this RouteHandlerBuilder endpoint, long maximumBytes) =>
        endpoint.Accepts<Stream>(ContentType).WithMetadata(new RequestSizeLimitAttribute(maximumBytes));

    /// <summary>The body, which is read twice where it is compared with that of an earlier request.</summary>
    public static Stream Zip(this HttpRequest request)
    {
        if (request.Headers.ContainsKey("Idempotency-Key"))
        {
            request.EnableBuffering();
        }

        return request.Body;
    }

    /// <summary>Of one that is kept: with its length, in parts when asked for (RFC 9110), and with its checksum as its ETag.</summary>
    public static Results<FileStreamHttpResult, RefusedHttpResult> ToZip(this Result<ExportContent> result) =>
        result.Match<Results<FileStreamHttpResult, RefusedHttpResult>>(
            export => TypedResults.Stream(
                export.Content, ContentType, export.FileName, entityTag: new EntityTagHeaderValue($"\"{export.Sha256}\""), enableRangeProcessing: true),
            refusal => new RefusedHttpResult(refusal));

    public static Results<PushStreamHttpResult, RefusedHttpResult> ToZip(this Result<Archive> result, CancellationToken cancellationToken) =>
        result.Match<Results<PushStreamHttpResult, RefusedHttpResult>>(
            archive => TypedResults.Stream(stream => archive.WriteToAsync(stream, cancellationToken), ContentType, archive.FileName),
            refusal => new RefusedHttpResult(refusal));
}
