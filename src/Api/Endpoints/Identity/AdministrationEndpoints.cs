using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Administration;
using Vtp.Domain.Identity.Accounts;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Identity;

internal static class AdministrationEndpoints
{
    public static void MapAdministration(this IEndpointRouteBuilder api)
    {
        api.MapPost("/setup", CreateFirstAdministrator)
            .WithTags("Administration")
            .Runs<CreateFirstAdministratorCommand>(
                "Create the first administrator by the printed link", Status401Unauthorized, Status409Conflict, Status503ServiceUnavailable);

        var admin = api.MapGroup("/admin").WithTags("Administration").NeverStored();
        admin.MapGet("/users", ListUsers).Runs<ListUsersQuery>("List accounts");
        admin.MapPost("/users", CreateUser).Runs<CreateUserCommand>("Create an account in any role", Status409Conflict, Status503ServiceUnavailable);
        admin.MapGet("/users/{id:guid}", GetUser).Runs<GetUserQuery>("Read an account", Status404NotFound);
        admin.MapPatch("/users/{id:guid}/role", ChangeUserRole).Runs<ChangeUserRoleCommand>("Change an account's role", Status404NotFound, Status409Conflict);
        admin.MapPost("/users/{id:guid}/disable", DisableUser).Runs<DisableUserCommand>("Keep an account out", Status404NotFound, Status409Conflict);
        admin.MapPost("/users/{id:guid}/enable", EnableUser).Runs<EnableUserCommand>("Let an account in again", Status404NotFound);
        admin.MapGet("/stats", GetAccountStatistics).Runs<GetAccountStatisticsQuery>("Count the accounts");
        admin.MapPost("/signing-keys/rotate", RotateSigningKey).Runs<RotateSigningKeyCommand>("Start signing access tokens with a new key");
    }

    private static async Task<Results<Created<SignedIn>, RefusedHttpResult>> CreateFirstAdministrator(
        CreateFirstAdministratorCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToCreated(_ => "/api/v1/auth/profile");

    private static async Task<Results<Ok<Page<ManagedUser>>, RefusedHttpResult>> ListUsers(
        string? search, Word<Role>? role, bool? disabled, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListUsersQuery(search, role?.Value, disabled, page, limit), ct)).ToHttp();

    private static async Task<Results<Created<ManagedUser>, RefusedHttpResult>> CreateUser(
        CreateUserCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToCreated(user => $"/api/v1/admin/users/{user.UserId}");

    private static async Task<Results<Ok<ManagedUser>, RefusedHttpResult>> GetUser(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetUserQuery(id), ct)).ToHttp();

    private static async Task<Results<Ok<ManagedUser>, RefusedHttpResult>> ChangeUserRole(
        Guid id, ChangeUserRoleCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToHttp();

    private static async Task<Results<Ok<ManagedUser>, RefusedHttpResult>> DisableUser(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DisableUserCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<ManagedUser>, RefusedHttpResult>> EnableUser(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new EnableUserCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<AccountStatistics>, RefusedHttpResult>> GetAccountStatistics(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetAccountStatisticsQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<SigningKeyRotated>, RefusedHttpResult>> RotateSigningKey(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RotateSigningKeyCommand(), ct)).ToHttp();
}
