namespace Vtp.Domain.Common;

/// <summary>What kind of no it is; the HTTP layer turns each kind into one status.</summary>
public enum RefusalKind
{
    /// <summary>The request itself is wrong: 400.</summary>
    Invalid,

    /// <summary>Nobody, or nobody we can believe, is asking: 401.</summary>
    Unauthenticated,

    /// <summary>We know who asks, and they may not: 403.</summary>
    Forbidden,

    /// <summary>It does not exist, or not for this caller: 404.</summary>
    NotFound,

    /// <summary>The state of things forbids it: 409.</summary>
    Conflict,

    /// <summary>It existed, and is not kept any more: 410.</summary>
    Gone,

    /// <summary>Well formed, yet it cannot be done: 422.</summary>
    Unprocessable,

    /// <summary>Asked too often; <see cref="Refusal.RetryAfter"/> says when it will be heard: 429.</summary>
    TooMany,

    /// <summary>No capacity just now; <see cref="Refusal.RetryAfter"/> says when to come back: 503.</summary>
    Busy,
}

/// <summary>An expected no. Bugs and outages throw instead.</summary>
/// <param name="Code">Stable, for programs: <c>area.reason</c>.</param>
/// <param name="Detail">One sentence for the person who reads it.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Detail)
{
    public static readonly Refusal Unauthenticated =
        new(RefusalKind.Unauthenticated, "auth.required", "Sign in to do this.");

    public static readonly Refusal Forbidden =
        new(RefusalKind.Forbidden, "auth.forbidden", "Your role does not allow this.");

    /// <summary>The fields at fault, each with its sentences.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>How long to wait; exact, so that a client that waits this long is heard.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The limits that refused.</summary>
    public IReadOnlyList<string>? ViolatedPolicies { get; init; }

    public static Refusal Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        new(RefusalKind.Invalid, "request.invalid", "One or more fields are not valid.") { Errors = errors };

    /// <summary>A field whose value is well formed but not acceptable.</summary>
    public static Refusal Field(string field, string code, string detail) =>
        new(RefusalKind.Invalid, code, detail)
        {
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { [field] = [detail] },
        };
}
