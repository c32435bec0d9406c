using System.Globalization;
using Vtp.Api.Http;
using Vtp.Domain.Common;

namespace Vtp.Api.Console;

/// <summary>A page that says no, with the status and headers that the JSON API would send.</summary>
internal sealed class RefusedPage(Refusal refusal, IResult page) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        Problems.Announce(httpContext.Response, Problems.StatusOf(refusal.Kind), refusal);
        return page.ExecuteAsync(httpContext);
    }
}

/// <summary>A refusal in the words of a page: its reader sees neither headers nor fields' names.</summary>
internal static class RefusalWords
{
    public static string Sentence(this Refusal refusal) => refusal switch
    {
        { Kind: RefusalKind.TooMany, RetryAfter: { } wait } => $"That was too often. Try again in {InWords(wait)}.",
        { Errors: { } errors } when errors.ContainsKey("token") =>
            "The link is not complete. Open it again, or copy all of it into the address bar.",
        _ => refusal.Detail,
    };

    public static bool PassesWithTime(this Refusal refusal) => refusal.Kind is RefusalKind.TooMany or RefusalKind.Busy;

    public static string? ErrorOf(this Refusal? refusal, string field) =>
        refusal?.Errors?.GetValueOrDefault(field) is { } sentences ? string.Join(' ', sentences) : null;

    private static string InWords(TimeSpan wait) => wait.TotalSeconds <= 90
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(2, Math.Ceiling(wait.TotalSeconds))} seconds")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(wait.TotalMinutes)} minutes");
}
