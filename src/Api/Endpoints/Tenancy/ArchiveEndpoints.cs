using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Tenancy.Archives;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tenancy;

internal static class ArchiveEndpoints
{
    public static void MapArchives(this IEndpointRouteBuilder api)
    {
        var limits = api.ServiceProvider.GetRequiredService<ArchiveLimits>();
        var archives = api.MapGroup("").WithTags("Archives").NeverStored();
        archives.MapGet("/organizations/{id:guid}/export", ExportOrganization).Runs<ExportOrganizationQuery>("Take an organization's archive").AnswersZip();
        archives.MapPost("/organizations/import", ImportOrganization)
            .Runs<ImportOrganizationCommand>("Restore an organization", Status409Conflict, Status413PayloadTooLarge, Status415UnsupportedMediaType)
            .TakesZip(limits.MaximumBytes);
        archives.MapGet("/projects/{id:guid}/export", ExportProject).Runs<ExportProjectQuery>("Take a project's archive").AnswersZip();
        archives.MapPost("/projects/import", ImportProject)
            .Runs<ImportProjectCommand>("Restore a project", Status409Conflict, Status413PayloadTooLarge, Status415UnsupportedMediaType)
            .TakesZip(limits.MaximumBytes);
    }

    private static async Task<Results<PushStreamHttpResult, RefusedHttpResult>> ExportOrganization(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ExportOrganizationQuery(id), ct)).ToZip(ct);

    private static async Task<Results<Created<OrganizationImported>, RefusedHttpResult>> ImportOrganization(HttpRequest archive, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ImportOrganizationCommand(archive.Zip()), ct)).ToCreated(imported => $"/api/v1/organizations/{imported.Id}");

    private static async Task<Results<PushStreamHttpResult, RefusedHttpResult>> ExportProject(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ExportProjectQuery(id), ct)).ToZip(ct);

    private static async Task<Results<Created<ProjectImported>, RefusedHttpResult>> ImportProject(
        [FromQuery(Name = "org_id")] Guid orgId, HttpRequest archive, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ImportProjectCommand(orgId, archive.Zip()), ct)).ToCreated(imported => $"/api/v1/projects/{imported.Project.Id}");
}
