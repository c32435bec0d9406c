using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.Sessions;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Identity;

internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("Sessions").NeverStored();

        auth.MapPost("/login", SignIn)
            .Runs<SignInCommand>("Sign in with a password", Status401Unauthorized, Status403Forbidden, Status503ServiceUnavailable);
        auth.MapPost("/otp/request", RequestEmailCode).Runs<RequestEmailCodeCommand>("Ask for a sign-in code by mail");
        auth.MapPost("/otp/verify", SignInWithEmailCode)
            .Runs<SignInWithEmailCodeCommand>("Sign in with a mailed code", Status401Unauthorized, Status403Forbidden);
        auth.MapPost("/refresh", Refresh).Runs<RefreshSessionCommand>("Exchange a refresh token for a new pair", Status401Unauthorized, Status403Forbidden);
        auth.MapPost("/logout", SignOut).Runs<SignOutCommand>("Sign out");
        auth.MapPost("/logout-all", SignOutEverywhere).Runs<SignOutEverywhereCommand>("Sign out on every device");
        auth.MapGet("/sessions", ListSessions).Runs<ListSessionsQuery>("List where you are signed in");
        auth.MapDelete("/sessions/{id:guid}", RevokeSession).Runs<RevokeSessionCommand>("End one of your sessions", Status404NotFound);
    }

    /// <summary>Outside the versioned base: RFC 8615 decides where it lies.</summary>
    public static void MapJsonWebKeys(this IEndpointRouteBuilder app) =>
        app.MapGet("/.well-known/jwks.json", GetJsonWebKeys).WithTags("Sessions").Runs<GetJsonWebKeysQuery>("Read the public keys of access tokens");

    private static async Task<Results<Ok<SignInAnswer>, RefusedHttpResult>> SignIn(
        SignInCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<EmailCodeRequested>, RefusedHttpResult>> RequestEmailCode(
        RequestEmailCodeCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<SignInAnswer>, RefusedHttpResult>> SignInWithEmailCode(
        SignInWithEmailCodeCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<SessionRefreshed>, RefusedHttpResult>> Refresh(
        RefreshSessionCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> SignOut(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new SignOutCommand(), ct)).ToHttp();

    private static async Task<Results<Ok<SignedOutEverywhere>, RefusedHttpResult>> SignOutEverywhere(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new SignOutEverywhereCommand(), ct)).ToHttp();

    private static async Task<Results<Ok<Page<SessionView>>, RefusedHttpResult>> ListSessions(
        int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListSessionsQuery(page, limit), ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> RevokeSession(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RevokeSessionCommand(id), ct)).ToNoContent();

    private static async Task<Results<Ok<JsonWebKeySet>, RefusedHttpResult>> GetJsonWebKeys(
        HttpResponse response, IMediator mediator, CancellationToken ct)
    {
        // Shorter than the time for which a new key is published before it signs.
        response.Headers.CacheControl = "public, max-age=30";
        return (await mediator.Send(new GetJsonWebKeysQuery(), ct)).ToHttp();
    }
}
