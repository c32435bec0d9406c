using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.EmailVerification;
using Vtp.Application.Identity.PasswordReset;
using Vtp.Application.Identity.SecurityEvents;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Identity;

internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder api)
    {
        var auth = api.MapGroup("/auth").WithTags("Accounts").NeverStored();

        auth.MapPost("/register", Register).Runs<RegisterAccountCommand>("Create an account", Status403Forbidden, Status503ServiceUnavailable);
        auth.MapGet("/profile", GetProfile).Runs<GetProfileQuery>("Read your own account");
        auth.MapPut("/profile", UpdateProfile).Runs<UpdateProfileCommand>("Change your name, phone or language");
        auth.MapPost("/change-password", ChangePassword).Runs<ChangePasswordCommand>("Change your password", Status503ServiceUnavailable);
        auth.MapGet("/security-events", ListSecurityEvents).Runs<ListSecurityEventsQuery>("List what happened to your account's security");

        auth.MapPost("/verify-email", VerifyEmail).Runs<VerifyEmailCommand>("Verify a mail address", Status409Conflict);
        auth.MapPost("/resend-verification", ResendVerification).Runs<ResendVerificationCommand>("Send the verification mail again");

        auth.MapPost("/forgot-password", RequestPasswordReset).Runs<RequestPasswordResetCommand>("Ask for a link that sets a new password");
        auth.MapPost("/verify-reset-token", VerifyResetToken).Runs<VerifyResetTokenCommand>("Check a reset link without using it", Status401Unauthorized);
        auth.MapPost("/reset-password", ResetPassword)
            .Runs<ResetPasswordCommand>("Set a new password by a reset link", Status401Unauthorized, Status503ServiceUnavailable);
    }

    private static async Task<Results<Created<AccountRegistered>, RefusedHttpResult>> Register(
        RegisterAccountCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToCreated(_ => "/api/v1/auth/profile");

    private static async Task<Results<Ok<UserView>, RefusedHttpResult>> GetProfile(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetProfileQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<UserView>, RefusedHttpResult>> UpdateProfile(
        UpdateProfileCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> ChangePassword(
        ChangePasswordCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<CursorPage<SecurityEventView>>, RefusedHttpResult>> ListSecurityEvents(
        string? cursor, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListSecurityEventsQuery(cursor, limit), ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> VerifyEmail(
        VerifyEmailCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> ResendVerification(
        ResendVerificationCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> RequestPasswordReset(
        RequestPasswordResetCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<ResetTokenVerified>, RefusedHttpResult>> VerifyResetToken(
        VerifyResetTokenCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> ResetPassword(
        ResetPasswordCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();
}
