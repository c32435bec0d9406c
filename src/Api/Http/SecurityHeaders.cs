namespace Vtp.Api.Http;

/// <summary>
/// One strict set on every answer. A page loosens its own policy by what it needs (<see cref="Swagger"/>, the console's
/// seal), because only there something runs.
/// </summary>
internal static class SecurityHeaders
{
    /// <summary>An API's answer loads nothing, runs nothing and stands in no frame.</summary>
    private const string Closed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>
    /// Its scripts are files of this server; it styles its elements as it draws them, its pictures are part of its style, and
    /// it asks this server alone.
    /// </summary>
    private const string SwaggerPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string NoFeatures =
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

    // Of this name alone: what else its owner serves under names below it is not VTP's to decide.
    private const string OneYear = "max-age=31536000";

    public static void Write(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = Closed;
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = NoFeatures;
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = OneYear;
        }
    }

    public static Task Swagger(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.ContentSecurityPolicy = SwaggerPolicy;
        return next(context);
    }
}
