using System.Security.Cryptography;
using MediatR;
using Microsoft.AspNetCore.DataProtection;
using Vtp.Api.Http;
using Vtp.Application.Identity.Sessions;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Console.Operators;

/// <summary>The session of an operator's browser: its tokens, sealed, in a cookie that no script reads and no other site sends.</summary>
internal sealed class OperatorSession(HttpCaller caller, IAccessTokenReader tokens, IMediator mediator, IDataProtectionProvider protection)
{
    private const string Name = "vtp-console";

    private readonly IDataProtector _protector = protection.CreateProtector("vtp.console.session.v1");

    /// <summary>The caller of this request becomes whoever the cookie's session belongs to, or nobody.</summary>
    /// <returns>The session's access token; null for nobody.</returns>
    public async Task<string?> ResumeAsync(HttpContext context)
    {
        var kept = Read(context.Request);
        await caller.IdentifyAsync(kept?.Access, tokens);
        if (kept is not var (_, refresh) || caller.SignedIn is not null)
        {
            return kept?.Access;
        }

        if ((await mediator.Send(new RefreshSessionCommand(refresh), context.RequestAborted)).TryGet(out var refreshed, out var refusal))
        {
            await caller.IdentifyAsync(refreshed.AccessToken, tokens);
            Keep(context, refreshed.AccessToken, refreshed.RefreshToken);
            return refreshed.AccessToken;
        }

        if (!refusal.PassesWithTime())
        {
            Forget(context);
        }

        return null;
    }

    /// <summary>Until the browser is closed; the session itself ends when its own time has come.</summary>
    public void Keep(HttpContext context, string accessToken, string refreshToken) =>
        context.Response.Cookies.Append(NameFor(context.Request), _protector.Protect($"{accessToken} {refreshToken}"), Options(context.Request));

    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(NameFor(context.Request), Options(context.Request));

    private (string Access, string Refresh)? Read(HttpRequest request)
    {
        if (request.Cookies[NameFor(request)] is not { } cookie)
        {
            return null;
        }

        try
        {
            return _protector.Unprotect(cookie).Split(' ') is [var access, var refresh] ? (access, refresh) : null;
        }
        catch (CryptographicException)
        {
            return null; // Not ours, or of a server whose keys are gone.
        }
    }

    // With this prefix a browser takes the cookie over TLS only, and from no other host of the same domain (RFC 6265bis, 4.1.3.2).
    private static string NameFor(HttpRequest request) => request.IsHttps ? $"__Host-{Name}" : Name;

    private static CookieOptions Options(HttpRequest request) => new()
    {
        HttpOnly = true,
        Secure = request.IsHttps,
        SameSite = SameSiteMode.Strict,
        Path = "/",
    };
}
