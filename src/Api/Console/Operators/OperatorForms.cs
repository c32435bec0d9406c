using Microsoft.AspNetCore.Antiforgery;
using Vtp.Api.Http;
using Vtp.Domain.Common;

namespace Vtp.Api.Console.Operators;

/// <summary>Forms that only a page of ours can send, each for the session that it was shown to.</summary>
internal static class OperatorForms
{
    private static readonly Refusal Stale =
        new(RefusalKind.Invalid, "console.form_stale", "This page was open in another session. Nothing was done; open it again and repeat what you wanted to do.");

    public static void AddOperatorForms(this IServiceCollection services)
    {
        services.AddScoped<OperatorSession>();
        services.AddSingleton<IAntiforgeryAdditionalDataProvider, OfSession>();
        services.AddAntiforgery(options =>
        {
            options.FormFieldName = "form_token";
            options.HeaderName = null;
            options.Cookie.Name = "vtp-form";
            options.Cookie.Path = OperatorEndpoints.Home;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;

            // The pages' policy says it, for every ancestor.
            options.SuppressXFrameOptionsHeader = true;
        });
    }

    /// <summary>For pages that anybody may open.</summary>
    public static async ValueTask<object?> CheckAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        return !HttpMethods.IsPost(http.Request.Method) || await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http)
            ? await next(context)
            : Refused(Stale);
    }

    /// <summary>For pages that take a session: without one the way leads to the sign-in, and from there back.</summary>
    public static async ValueTask<object?> CheckSessionAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        await http.RequestServices.GetRequiredService<OperatorSession>().ResumeAsync(http);
        return http.RequestServices.GetRequiredService<HttpCaller>().SignedIn is not null ? await CheckAsync(context, next)
            : Results.LocalRedirect(HttpMethods.IsGet(http.Request.Method)
                ? $"{OperatorEndpoints.SignIn}?next={Uri.EscapeDataString(http.Request.Path + http.Request.QueryString)}"
                : OperatorEndpoints.SignIn);
    }

    public static IResult Refused(Refusal refusal, string? back = null) => Pages.Page<OperatorRefusedPage>(new { Refusal = refusal, Back = Inside(back) }, refusal);

    /// <summary>A page of the console, whatever was asked for: a link to the sign-in must not lead on to somewhere else.</summary>
    public static string Inside(string? path) =>
        path is not null && path.StartsWith($"{OperatorEndpoints.Home}/", StringComparison.Ordinal) && !path.StartsWith($"{OperatorEndpoints.Home}/sign-", StringComparison.Ordinal)
            && !path.Contains('\\', StringComparison.Ordinal) && !path.Any(char.IsControl)
            ? path
            : OperatorEndpoints.Home;

    private sealed class OfSession : IAntiforgeryAdditionalDataProvider
    {
        public string GetAdditionalData(HttpContext context) => context.RequestServices.GetRequiredService<HttpCaller>().SignedIn?.SessionId.ToString() ?? "";

        public bool ValidateAdditionalData(HttpContext context, string additionalData) => additionalData == GetAdditionalData(context);
    }
}
