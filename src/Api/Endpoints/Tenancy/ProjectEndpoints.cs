using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Tenancy.ApiKeys;
using Vtp.Application.Tenancy.Projects;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tenancy;

internal static class ProjectEndpoints
{
    public static void MapProjects(this IEndpointRouteBuilder api)
    {
        var projects = api.MapGroup("/projects").WithTags("Projects").NeverStored();
        projects.MapPost("", Create).Runs<CreateProjectCommand>("Create a project", Status409Conflict);
        projects.MapGet("", List).Runs<ListProjectsQuery>("List projects");
        projects.MapGet("/{id:guid}", Get).Runs<GetProjectQuery>("Read a project");
        projects.MapPut("/{id:guid}", Update).Runs<UpdateProjectCommand>("Change a project");
        projects.MapDelete("/{id:guid}", Delete).Runs<DeleteProjectCommand>("Delete a project");
        projects.MapPost("/{id:guid}/restore", Restore).Runs<RestoreProjectCommand>("Undo a deletion", Status409Conflict);
        projects.MapPost("/{id:guid}/regenerate-keys", Regenerate)
            .Runs<RegenerateProjectKeysCommand>("Replace the project's pair of keys", Status409Conflict);

        var keys = api.MapGroup("/projects/{id:guid}/keys").WithTags("API keys").NeverStored();
        keys.MapGet("", ListKeys).Runs<ListApiKeysQuery>("List keys");
        keys.MapPost("", CreateKey).Runs<CreateApiKeyCommand>("Make a key", Status409Conflict);
        keys.MapPost("/import", ImportKey).Runs<ImportApiKeyCommand>("Bring an older key along", Status409Conflict);
        keys.MapPost("/{key_id:guid}/rotate", RotateKey).Runs<RotateApiKeyCommand>("Replace a key", Status409Conflict);
        keys.MapDelete("/{key_id:guid}", RevokeKey).Runs<RevokeApiKeyCommand>("End a key");
    }

    private static async Task<Results<Created<ProjectCreated>, RefusedHttpResult>> Create(
        [FromQuery(Name = "org_id")] Guid orgId, CreateProjectCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { OrgId = orgId }, ct)).ToCreated(created => $"/api/v1/projects/{created.Project.Id}");

    private static async Task<Results<Ok<Page<ProjectView>>, RefusedHttpResult>> List(
        [FromQuery(Name = "org_id")] Guid? orgId, string? search, bool? deleted, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListProjectsQuery(orgId, search, deleted, page, limit), ct)).ToHttp();

    private static async Task<Results<Ok<ProjectView>, RefusedHttpResult>> Get(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetProjectQuery(id), ct)).ToHttp();

    private static async Task<Results<Ok<ProjectView>, RefusedHttpResult>> Update(
        Guid id, UpdateProjectCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Delete(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteProjectCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<ProjectView>, RefusedHttpResult>> Restore(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RestoreProjectCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<ProjectKeysRegenerated>, RefusedHttpResult>> Regenerate(
        Guid id, RegenerateProjectKeysCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send((command ?? new(default, null)) with { Id = id }, ct)).ToHttp();

    private static async Task<Results<Ok<Page<ApiKeyView>>, RefusedHttpResult>> ListKeys(
        Guid id, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListApiKeysQuery(id, page, limit), ct)).ToHttp();

    private static async Task<Results<Created<ApiKeyIssued>, RefusedHttpResult>> CreateKey(
        Guid id, CreateApiKeyCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToCreated(_ => $"/api/v1/projects/{id}/keys");

    private static async Task<Results<Created<ApiKeyView>, RefusedHttpResult>> ImportKey(
        Guid id, ImportApiKeyCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToCreated(_ => $"/api/v1/projects/{id}/keys");

    private static async Task<Results<Created<ApiKeyIssued>, RefusedHttpResult>> RotateKey(
        Guid id, [FromRoute(Name = "key_id")] Guid keyId, RotateApiKeyCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send((command ?? new(default, default, null)) with { Id = id, KeyId = keyId }, ct)).ToCreated(_ => $"/api/v1/projects/{id}/keys");

    private static async Task<Results<NoContent, RefusedHttpResult>> RevokeKey(
        Guid id, [FromRoute(Name = "key_id")] Guid keyId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RevokeApiKeyCommand(id, keyId), ct)).ToNoContent();
}
