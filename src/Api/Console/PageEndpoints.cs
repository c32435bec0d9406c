using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Identity.Administration;
using Vtp.Application.Identity.EmailVerification;
using Vtp.Application.Identity.PasswordReset;
using Vtp.Application.Tenancy.Invitations;
using Vtp.Domain.Common;

namespace Vtp.Api.Console;

/// <summary>The pages that mails and the printed set-up link lead to, until a product sets its own front end's (section Links).</summary>
internal static class PageEndpoints
{
    public const string Setup = "/setup";
    public const string VerifyEmail = "/verify-email";
    public const string ResendVerification = "/resend-verification";
    public const string ForgotPassword = "/forgot-password";
    public const string ResetPassword = "/reset-password";
    public const string AcceptInvitation = "/accept-invitation";

    public static void MapPages(this IEndpointRouteBuilder app)
    {
        foreach (var file in new[] { SiteFile.Style, SiteFile.Icon, SiteFile.ConsoleStyle, SiteFile.Live, SiteFile.Swarms, SiteFile.Watch })
        {
            app.MapGet(file.Path, file.Send).ExcludeFromDescription().OpenToAll("The look of the pages.");
        }

        // No cookie speaks for anybody here. A forged post needs the token, which only the reader of the mail (or of the
        // server's output) has; the pages that send mail take none, because anybody may ask for any address and the
        // answer tells nothing. A second token in the form would guard nothing.
        var pages = app.MapGroup("").ExcludeFromDescription().DisableAntiforgery().AddEndpointFilter(Pages.SealAsync);

        pages.MapGet(Setup, ShowSetup).Runs(typeof(VerifySetupLinkQuery));
        pages.MapPost(Setup, CreateAdministrator).Runs(typeof(CreateFirstAdministratorCommand));

        pages.MapGet(VerifyEmail, ShowVerifyEmail).OpenToAll("A button; mail scanners follow links, and must not use them up.");
        pages.MapPost(VerifyEmail, Verify).Runs(typeof(VerifyEmailCommand));
        pages.MapGet(ResendVerification, ShowResendVerification).OpenToAll("An empty form.");
        pages.MapPost(ResendVerification, Resend).Runs(typeof(ResendVerificationCommand));

        pages.MapGet(ForgotPassword, ShowForgotPassword).OpenToAll("An empty form.");
        pages.MapPost(ForgotPassword, RequestReset).Runs(typeof(RequestPasswordResetCommand));
        pages.MapGet(ResetPassword, ShowResetPassword).Runs(typeof(VerifyResetTokenCommand));
        pages.MapPost(ResetPassword, Reset).Runs(typeof(ResetPasswordCommand));

        pages.MapGet(AcceptInvitation, ShowInvitation).Runs(typeof(VerifyInvitationQuery));
        pages.MapPost(AcceptInvitation, Join).Runs(typeof(JoinByInvitationCommand));
    }

    private static Task<IResult> ShowSetup(string? token, IMediator mediator, CancellationToken ct) =>
        SetupForm(new CreateFirstAdministratorCommand(token, null, null, null), null, mediator, ct);

    private static async Task<IResult> CreateAdministrator(
        [FromForm] string? token,
        [FromForm] string? email,
        [FromForm(Name = "full_name")] string? fullName,
        [FromForm] string? password,
        IMediator mediator,
        CancellationToken ct)
    {
        var command = new CreateFirstAdministratorCommand(token, email, fullName, password);
        return (await mediator.Send(command, ct)).TryGet(out var signedIn, out var refusal)
            ? Pages.Page<SetupDonePage>(new { signedIn.User.Email })
            : await SetupForm(command, refusal, mediator, ct);
    }

    /// <summary>The link is checked before each showing: who types a password into a form should be able to send it.</summary>
    private static async Task<IResult> SetupForm(CreateFirstAdministratorCommand typed, Refusal? refusal, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifySetupLinkQuery(typed.Token), ct)).TryGet(out _, out var dead)
            ? Pages.Page<SetupPage>(new { typed.Token, typed.Email, typed.FullName, Refusal = refusal }, refusal)
            : Pages.Page<DeadLinkPage>(new { Refusal = dead }, dead);

    private static IResult ShowVerifyEmail(string? token) => VerifyEmailForm(
        token, string.IsNullOrEmpty(token) ? Refusal.Field("token", "request.invalid", "The token is missing.") : null);

    private static async Task<IResult> Verify([FromForm] string? token, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyEmailCommand(token), ct)).TryGet(out _, out var refusal)
            ? Pages.Page<NoticePage>(new
            {
                Title = "Your address is confirmed",
                Text = "Thank you. You can close this page and go on where you left off.",
            })
            : VerifyEmailForm(token, refusal);

    private static IResult VerifyEmailForm(string? token, Refusal? refusal) => refusal?.PassesWithTime() ?? true
        ? Pages.Page<VerifyEmailPage>(new { Token = token, Refusal = refusal }, refusal)
        : Pages.Page<DeadLinkPage>(new { Refusal = refusal, Renew = ResendVerification, RenewLabel = "Send a new link" }, refusal);

    private static IResult ShowResendVerification() => ResendForm(null, null);

    private static async Task<IResult> Resend([FromForm] string? email, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResendVerificationCommand(email), ct)).TryGet(out var message, out var refusal)
            ? MailSent(message.Text)
            : ResendForm(email, refusal);

    private static IResult ResendForm(string? email, Refusal? refusal) => Pages.Page<AskForMailPage>(
        new
        {
            Action = ResendVerification,
            Title = "Confirm your address",
            Text = "Enter the address that you signed up with, and we send you a new link to confirm it.",
            Email = email,
            Refusal = refusal,
        },
        refusal);

    private static IResult ShowForgotPassword() => ForgotForm(null, null);

    private static async Task<IResult> RequestReset([FromForm] string? email, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RequestPasswordResetCommand(email), ct)).TryGet(out var message, out var refusal)
            ? MailSent(message.Text)
            : ForgotForm(email, refusal);

    private static IResult ForgotForm(string? email, Refusal? refusal) => Pages.Page<AskForMailPage>(
        new
        {
            Action = ForgotPassword,
            Title = "Forgot your password?",
            Text = "Enter your address, and we send you a link to choose a new one.",
            Email = email,
            Refusal = refusal,
        },
        refusal);

    private static Task<IResult> ShowResetPassword(string? token, IMediator mediator, CancellationToken ct) =>
        ResetForm(token, null, mediator, ct);

    private static async Task<IResult> Reset(
        [FromForm] string? token, [FromForm(Name = "new_password")] string? newPassword, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResetPasswordCommand(token, newPassword), ct)).TryGet(out _, out var refusal)
            ? Pages.Page<NoticePage>(new
            {
                Title = "Your new password is set",
                Text = "You have been signed out everywhere. Sign in again with the new password.",
            })
            : await ResetForm(token, refusal, mediator, ct);

    private static async Task<IResult> ResetForm(string? token, Refusal? refusal, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyResetTokenCommand(token), ct)).TryGet(out var verified, out var dead)
            ? Pages.Page<ResetPasswordPage>(new { Token = token, verified.Email, Refusal = refusal }, refusal)
            : Pages.Page<DeadLinkPage>(new { Refusal = dead, Renew = ForgotPassword, RenewLabel = "Send a new link" }, dead);

    private static Task<IResult> ShowInvitation(string? token, IMediator mediator, CancellationToken ct) =>
        JoinForm(new JoinByInvitationCommand(token, Password: null, FullName: null), null, mediator, ct);

    private static async Task<IResult> Join(
        [FromForm] string? token,
        [FromForm] string? password,
        [FromForm(Name = "full_name")] string? fullName,
        IMediator mediator,
        CancellationToken ct)
    {
        var command = new JoinByInvitationCommand(token, password, fullName);
        return (await mediator.Send(command, ct)).TryGet(out var joined, out var refusal)
            ? Pages.Page<NoticePage>(new { Title = "You have joined", joined.Text })
            : await JoinForm(command, refusal, mediator, ct);
    }

    private static async Task<IResult> JoinForm(JoinByInvitationCommand typed, Refusal? refusal, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new VerifyInvitationQuery(typed.Token), ct)).TryGet(out var invitation, out var dead)
            ? Pages.Page<JoinPage>(new { Invitation = invitation, typed.Token, typed.FullName, Refusal = refusal }, refusal)
            : Pages.Page<DeadLinkPage>(new { Refusal = dead }, dead);

    private static IResult MailSent(string text) => Pages.Page<NoticePage>(new { Title = "Check your mail", Text = text });
}
