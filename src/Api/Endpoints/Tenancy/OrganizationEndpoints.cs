using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Tenancy.Organizations;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tenancy;

internal static class OrganizationEndpoints
{
    public static void MapOrganizations(this IEndpointRouteBuilder api)
    {
        var organizations = api.MapGroup("/organizations").WithTags("Organizations");
        organizations.MapPost("", Create).Runs<CreateOrganizationCommand>("Found an organization", Status409Conflict);
        organizations.MapGet("", List).Runs<ListOrganizationsQuery>("List your organizations");
        organizations.MapGet("/{id:guid}", Get).Runs<GetOrganizationQuery>("Read an organization");
        organizations.MapPut("/{id:guid}", Update).Runs<UpdateOrganizationCommand>("Change an organization");
        organizations.MapDelete("/{id:guid}", Delete).Runs<DeleteOrganizationCommand>("Delete an organization");
        organizations.MapPost("/{id:guid}/restore", Restore).Runs<RestoreOrganizationCommand>("Undo a deletion", Status409Conflict);
    }

    private static async Task<Results<Created<OrganizationView>, RefusedHttpResult>> Create(
        CreateOrganizationCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToCreated(organization => $"/api/v1/organizations/{organization.Id}");

    private static async Task<Results<Ok<Page<OrganizationView>>, RefusedHttpResult>> List(
        string? search, bool? deleted, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListOrganizationsQuery(search, deleted, page, limit), ct)).ToHttp();

    private static async Task<Results<Ok<OrganizationView>, RefusedHttpResult>> Get(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetOrganizationQuery(id), ct)).ToHttp();

    private static async Task<Results<Ok<OrganizationView>, RefusedHttpResult>> Update(
        Guid id, UpdateOrganizationCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Delete(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteOrganizationCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<OrganizationView>, RefusedHttpResult>> Restore(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RestoreOrganizationCommand(id), ct)).ToHttp();
}
