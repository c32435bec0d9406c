using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Identity.TwoFactor;
using Vtp.Application.Operations.Jobs;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Console.Operators;

/// <summary>The console: how administrators of the installation get in, and its first page.</summary>
internal static class OperatorEndpoints
{
    public const string Home = "/console";
    public const string SignIn = "/console/sign-in";
    public const string SignInCode = "/console/sign-in/code";
    public const string SignOut = "/console/sign-out";

    private static readonly Refusal NotAnAdministrator =
        new(RefusalKind.Forbidden, "console.administrators_only", "The console is for administrators of this installation, and your account is none. You are signed out again.");

    public static void MapConsole(this IEndpointRouteBuilder app)
    {
        // What guards forms here is OperatorForms, which says no with a page; the framework's own check would throw.
        var console = app.MapGroup("").ExcludeFromDescription().DisableAntiforgery();

        var doors = console.MapGroup("").AddEndpointFilter(Pages.SealAsync).AddEndpointFilter(OperatorForms.CheckAsync);
        doors.MapGet(SignIn, ShowSignIn).OpenToAll("An empty form.");
        doors.MapPost(SignIn, StartSession).Runs(typeof(SignInCommand));
        doors.MapPost(SignInCode, VerifyCode).Runs(typeof(VerifyTwoFactorCommand));

        var pages = console.MapGroup("").AddEndpointFilter(Pages.SealLiveAsync).AddEndpointFilter(OperatorForms.CheckSessionAsync);
        pages.MapPost(SignOut, EndSession).Runs(typeof(SignOutCommand));
        pages.MapJobPages();
        pages.MapWebhookPages();
        pages.MapSystemPages();
        pages.MapSwarmPages();
        pages.MapWatchPages();
        pages.MapGet(Home, ShowHome).Runs(typeof(GetJobStatisticsQuery));
    }

    private static IResult ShowSignIn(string? next) => SignInForm(null, next, null);

    private static async Task<IResult> StartSession(
        [FromForm] string? email, [FromForm] string? password, [FromForm] string? next, HttpContext http, IMediator mediator, CancellationToken ct)
    {
        if (!(await mediator.Send(new SignInCommand(email, password, Code: null), ct)).TryGet(out var answer, out var refusal))
        {
            return SignInForm(email, next, refusal);
        }

        return answer.RequiresTwoFactor
            ? CodeForm(answer.ChallengeToken, next, null)
            : await EnterAsync(answer.AccessToken!, answer.RefreshToken!, next, http, mediator, ct);
    }

    private static async Task<IResult> VerifyCode(
        [FromForm] string? token, [FromForm] string? code, [FromForm] string? next, HttpContext http, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyTwoFactorCommand(token, code), ct)).TryGet(out var verified, out var refusal)
            ? await EnterAsync(verified.AccessToken, verified.RefreshToken, next, http, mediator, ct)
            : refusal == TwoFactorRefusals.ChallengeEnded ? SignInForm(null, next, refusal) : CodeForm(token, next, refusal);

    private static async Task<IResult> EnterAsync(
        string accessToken, string refreshToken, string? next, HttpContext http, IMediator mediator, CancellationToken ct)
    {
        var caller = http.RequestServices.GetRequiredService<HttpCaller>();
        await caller.IdentifyAsync(accessToken, http.RequestServices.GetRequiredService<IAccessTokenReader>());
        if (caller.SignedIn?.Role.Holds(Permission.Operate) != true && !SwarmPages.IsWay(next) && !WatchPages.IsWay(next))
        {
            await mediator.Send(new SignOutCommand(), ct);
            return SignInForm(null, next, NotAnAdministrator);
        }

        http.RequestServices.GetRequiredService<OperatorSession>().Keep(http, accessToken, refreshToken);
        return Results.LocalRedirect(OperatorForms.Inside(next));
    }

    private static IResult SignInForm(string? email, string? next, Refusal? refusal) =>
        Pages.Page<SignInPage>(new { Email = email, Next = next, Refusal = refusal }, refusal);

    private static IResult CodeForm(string? challenge, string? next, Refusal? refusal) =>
        Pages.Page<SignInCodePage>(new { Challenge = challenge, Next = next, Refusal = refusal }, refusal);

    private static async Task<IResult> EndSession(HttpContext http, IMediator mediator, CancellationToken ct)
    {
        if (!(await mediator.Send(new SignOutCommand(), ct)).TryGet(out _, out var refusal))
        {
            return OperatorForms.Refused(refusal);
        }

        OperatorSession.Forget(http);
        return Results.LocalRedirect(SignIn);
    }

    private static async Task<IResult> ShowHome(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetJobStatisticsQuery(), ct)).TryGet(out var statistics, out var refusal)
            ? Pages.Page<HomePage>(new { Statistics = statistics })
            : OperatorForms.Refused(refusal);
}
