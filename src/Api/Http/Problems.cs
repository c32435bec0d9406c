using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Common;

namespace Vtp.Api.Http;

/// <summary>
/// Every error body of the server, whoever made it (a use case, the router, the JSON reader, a crash): RFC 9457 with
/// <c>error</c> and <c>message</c> for the clients of older systems. Nothing in it comes from an exception's text.
/// What is not HTTP (a bad request line, a header that is not UTF-8) Kestrel refuses before us, with an empty 400.
/// </summary>
internal static partial class Problems
{
    public const string ContentType = "application/problem+json";

    public static void AddProblems(this IServiceCollection services)
    {
        // The first writer that can write does.
        services.AddSingleton<IProblemDetailsWriter, AlwaysWriter>();
        services.AddProblemDetails();
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    public static void UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            StatusCodeSelector = StatusOf,
            SuppressDiagnosticsCallback = context => Refused(context.Exception) is not null,
        });
        app.UseStatusCodePages();
        app.Use((context, next) =>
            !IsUtf8(context.Request) ? WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, OfStatus(StatusCodes.Status415UnsupportedMediaType))
            : ParameterWithNul(context.Request) is { } name ? WriteAsync(context, Refusal.Field(name, Unstorable.Code, Unstorable.Detail))
            : next(context));
    }

    public static int StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status400BadRequest,
        RefusalKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        RefusalKind.Forbidden => StatusCodes.Status403Forbidden,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Conflict => StatusCodes.Status409Conflict,
        RefusalKind.Gone => StatusCodes.Status410Gone,
        RefusalKind.Unprocessable => StatusCodes.Status422UnprocessableEntity,
        RefusalKind.TooMany => StatusCodes.Status429TooManyRequests,
        RefusalKind.Busy => StatusCodes.Status503ServiceUnavailable,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public static Task WriteAsync(HttpContext context, Refusal refusal) => WriteAsync(context, StatusOf(refusal.Kind), refusal);

    /// <summary>What stands before the body of a refusal, whatever the body is.</summary>
    public static void Announce(HttpResponse response, int status, Refusal refusal)
    {
        HttpMetrics.Refused(status);
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (refusal.RetryAfter is { } wait)
        {
            // Whole seconds are all that the header can say; rounded up, so that who waits that long is heard.
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, Refusal refusal)
    {
        Announce(context.Response, status, refusal);
        context.WriteStandardHeaders();
        var problem = new Problem(
            $"urn:vtp:problem:{refusal.Code}",
            ReasonPhrases.GetReasonPhrase(status),
            status,
            refusal.Detail,
            refusal.Code,
            refusal.Detail,
            context.TraceIdentifier(),
            refusal.Errors,
            refusal.ViolatedPolicies);
        await context.Response.WriteAsJsonAsync(problem, Json.Options.GetTypeInfo(typeof(Problem)), ContentType, context.RequestAborted);
    }

    /// <summary>Exceptions that are the client's doing, or an outage that it can wait for.</summary>
    private static Refusal? Refused(Exception exception) => exception switch
    {
        BadHttpRequestException { InnerException: JsonException json } => MalformedJson(json),
        BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } bad => BadRequest(bad),
        BadHttpRequestException bad => OfStatus(bad.StatusCode),
        JsonException json => MalformedJson(json),
        RefusedException refused => refused.Refusal,
        DbUpdateConcurrencyException => new Refusal(RefusalKind.Conflict, "request.conflict", "Somebody else changed it at the same moment. Read it and try again."),
        DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } } =>
            new Refusal(RefusalKind.Conflict, "request.duplicate", "It exists already."),
        PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter } => Unstorable,
        DbUpdateException { InnerException: PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire } } => Unstorable,
        SourceTimeoutException => new Refusal(RefusalKind.Busy, "server.slow", "The answer takes longer than usual. Try again shortly.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        },
        _ when IsOutage(exception) => new Refusal(RefusalKind.Busy, "server.database_away", "The database does not answer. Try again shortly.")
        {
            RetryAfter = TimeSpan.FromSeconds(2),
        },
        _ => null,
    };

    private static readonly Refusal Unstorable =
        new(RefusalKind.Invalid, "request.invalid_text", "Text must not contain NUL characters.");

    private static bool IsOutage(Exception? exception) => exception switch
    {
        null => false,
        PostgresException postgres => postgres.IsTransient,
        NpgsqlException => true,
        DbUpdateException or InvalidOperationException or TimeoutException => IsOutage(exception.InnerException),
        _ => false,
    };

    private static Refusal MalformedJson(JsonException json)
    {
        // The path names the client's own field; the text behind it names our types.
        var field = json.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : null;
        return field is null
            ? new Refusal(RefusalKind.Invalid, "request.malformed_json", "The body is not valid JSON of the expected form.")
            : Refusal.Field(field, "request.malformed_json", "This value is not of the expected form.");
    }

    private static Refusal BadRequest(BadHttpRequestException bad) => ParameterName().Match(bad.Message) is { Success: true } match
        ? Refusal.Field(Json.Options.PropertyNamingPolicy!.ConvertName(match.Groups["name"].Value), "request.invalid", "This value is missing or not of the expected form.")
        : new Refusal(RefusalKind.Invalid, "request.malformed", "The request is not well formed, or its body is missing.");

    private static Refusal OfStatus(int status) => status switch
    {
        StatusCodes.Status404NotFound => new(RefusalKind.NotFound, "route.not_found", "There is nothing at this address."),
        StatusCodes.Status405MethodNotAllowed => new(RefusalKind.Invalid, "route.method_not_allowed", "This address does not take this method; Allow lists those it takes."),
        StatusCodes.Status408RequestTimeout => new(RefusalKind.Invalid, "request.timeout", "The request took too long to arrive."),
        StatusCodes.Status413PayloadTooLarge => new(RefusalKind.Invalid, "request.too_large", "The body is larger than this address takes."),
        StatusCodes.Status415UnsupportedMediaType => new(RefusalKind.Invalid, "request.unsupported_media_type", "Send the body as application/json, an archive as application/zip."),
        >= 500 => new(RefusalKind.Busy, "server.failed", "Something went wrong on our side. The trace id helps to find out what."),
        _ => new(RefusalKind.Invalid, "request.refused", "The request was refused."),
    };

    private static int StatusOf(Exception exception) => exception switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        _ => Refused(exception) is { } refusal ? StatusOf(refusal.Kind) : StatusCodes.Status500InternalServerError,
    };

    /// <summary>JSON is UTF-8 (RFC 8259). The framework's reader crashes on charsets that it does not know, and on quotes around one.</summary>
    private static bool IsUtf8(HttpRequest request)
    {
        if (request.ContentType?.Contains("charset", StringComparison.OrdinalIgnoreCase) is not true
            || !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.Charset.HasValue)
        {
            return true;
        }

        var isUtf8 = HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase);
        if (isUtf8)
        {
            type.Charset = "utf-8";
            request.ContentType = type.ToString();
        }

        return isUtf8;
    }

    /// <summary>PostgreSQL stores no NUL; whoever searches for one is told which parameter holds it.</summary>
    private static string? ParameterWithNul(HttpRequest request) => request.QueryString.Value?.Contains("%00", StringComparison.Ordinal) == true
        ? request.Query.FirstOrDefault(parameter => parameter.Value.ToString().Contains('\0', StringComparison.Ordinal)).Key
        : null;

    // 'Failed to bind parameter "Nullable<int> page" from "x".', 'Required parameter "string q" was not provided from
    // query string.' A body that is missing reads 'was not provided from body', and is no field of the client's.
    [GeneratedRegex(
        """^(Failed to bind|Required) parameter "[^"]* (?<name>\w+)" (from|was not provided from (?!body))""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 100)]
    private static partial Regex ParameterName();

    /// <summary>The framework's own writer stays silent for clients that accept only HTML; an error is better than nothing.</summary>
    private sealed class AlwaysWriter : IProblemDetailsWriter
    {
        public bool CanWrite(ProblemDetailsContext context) => true;

        public ValueTask WriteAsync(ProblemDetailsContext context)
        {
            var status = context.HttpContext.Response.StatusCode;
            var refusal = context.Exception is { } exception ? Refused(exception) ?? OfStatus(status) : OfStatus(status);
            return new ValueTask(Problems.WriteAsync(context.HttpContext, status, refusal));
        }
    }
}

/// <summary>Why a request was refused (RFC 9457).</summary>
/// <param name="Type"><c>urn:vtp:problem:</c> and the code.</param>
/// <param name="Title">The status in words.</param>
/// <param name="Detail">One sentence for the person who reads it.</param>
/// <param name="Error">Stable code for programs: <c>area.reason</c>.</param>
/// <param name="Message">Repeats <c>detail</c> for clients of older systems.</param>
/// <param name="TraceId">Quote it when you ask for help; also in the header X-Request-ID.</param>
/// <param name="Errors">The fields at fault, each with its sentences.</param>
/// <param name="ViolatedPolicies">The limits that refused, as RateLimit-Policy names them.</param>
internal sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Error,
    string Message,
    string TraceId,
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyDictionary<string, string[]>? Errors,
    [property: System.Text.Json.Serialization.JsonPropertyName("violated-policies")]
    [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyList<string>? ViolatedPolicies);
