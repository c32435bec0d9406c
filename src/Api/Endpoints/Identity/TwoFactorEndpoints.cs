using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Identity;
using Vtp.Application.Identity.TwoFactor;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Identity;

internal static class TwoFactorEndpoints
{
    public static void MapTwoFactor(this IEndpointRouteBuilder api)
    {
        var twoFactor = api.MapGroup("/auth/2fa").WithTags("Two-factor sign-in").NeverStored();

        twoFactor.MapPost("/setup", SetUp)
            .Runs<SetUpTwoFactorCommand>("Get a secret for an authenticator app", Status403Forbidden, Status409Conflict, Status503ServiceUnavailable);
        twoFactor.MapPost("/enable", Enable).Runs<EnableTwoFactorCommand>("Turn two-factor sign-in on", Status409Conflict);
        twoFactor.MapPost("/verify", Verify).Runs<VerifyTwoFactorCommand>("Finish a sign-in with a code", Status401Unauthorized, Status403Forbidden);
        twoFactor.MapPost("/disable", Disable)
            .Runs<DisableTwoFactorCommand>("Turn two-factor sign-in off", Status409Conflict, Status503ServiceUnavailable);
        twoFactor.MapGet("/backup-codes", GetBackupCodeStatus).Runs<GetBackupCodeStatusQuery>("Count the backup codes that are left", Status409Conflict);
        twoFactor.MapPost("/backup-codes/regenerate", RegenerateBackupCodes)
            .Runs<RegenerateBackupCodesCommand>("Replace the backup codes", Status403Forbidden, Status409Conflict, Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<TwoFactorSetUp>, RefusedHttpResult>> SetUp(
        SetUpTwoFactorCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command ?? new SetUpTwoFactorCommand(Password: null), ct)).ToHttp();

    private static async Task<Results<Ok<TwoFactorEnabled>, RefusedHttpResult>> Enable(
        EnableTwoFactorCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<TwoFactorVerified>, RefusedHttpResult>> Verify(
        VerifyTwoFactorCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Disable(
        DisableTwoFactorCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<BackupCodeStatus>, RefusedHttpResult>> GetBackupCodeStatus(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetBackupCodeStatusQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<BackupCodesRegenerated>, RefusedHttpResult>> RegenerateBackupCodes(
        RegenerateBackupCodesCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command ?? new RegenerateBackupCodesCommand(Password: null), ct)).ToHttp();
}
