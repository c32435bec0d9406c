using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Tenancy.Exports;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tenancy;

internal static class ExportEndpoints
{
    public static void MapExports(this IEndpointRouteBuilder api)
    {
        var ofOrganization = api.MapGroup("/organizations/{id:guid}/exports").WithTags("Archives").NeverStored();
        ofOrganization.MapPost("", StartOrganization).Runs<StartOrganizationExportCommand>("Make an organization's archive in the background");
        ofOrganization.MapGet("", ListOrganization).Runs<ListOrganizationExportsQuery>("List an organization's exports");
        ofOrganization.MapGet("/{export_id:guid}", GetOrganization).Runs<GetOrganizationExportQuery>("See how far an organization's export is");
        ofOrganization.MapGet("/{export_id:guid}/content", DownloadOrganization)
            .Runs<DownloadOrganizationExportQuery>("Download an organization's export", Status409Conflict).AnswersZip();
        ofOrganization.MapDelete("/{export_id:guid}", DeleteOrganization).Runs<DeleteOrganizationExportCommand>("Remove an organization's export", Status409Conflict);

        var ofProject = api.MapGroup("/projects/{id:guid}/exports").WithTags("Archives").NeverStored();
        ofProject.MapPost("", StartProject).Runs<StartProjectExportCommand>("Make a project's archive in the background");
        ofProject.MapGet("", ListProject).Runs<ListProjectExportsQuery>("List a project's exports");
        ofProject.MapGet("/{export_id:guid}", GetProject).Runs<GetProjectExportQuery>("See how far a project's export is");
        ofProject.MapGet("/{export_id:guid}/content", DownloadProject)
            .Runs<DownloadProjectExportQuery>("Download a project's export", Status409Conflict).AnswersZip();
        ofProject.MapDelete("/{export_id:guid}", DeleteProject).Runs<DeleteProjectExportCommand>("Remove a project's export", Status409Conflict);
    }

    private static async Task<Results<Created<ExportView>, RefusedHttpResult>> StartOrganization(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new StartOrganizationExportCommand(id), ct)).ToCreated(export => $"/api/v1/organizations/{id}/exports/{export.Id}");

    private static async Task<Results<Ok<ExportList>, RefusedHttpResult>> ListOrganization(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListOrganizationExportsQuery(id), ct)).ToHttp();

    private static async Task<Results<Ok<ExportView>, RefusedHttpResult>> GetOrganization(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetOrganizationExportQuery(id, exportId), ct)).ToHttp();

    private static async Task<Results<FileStreamHttpResult, RefusedHttpResult>> DownloadOrganization(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DownloadOrganizationExportQuery(id, exportId), ct)).ToZip();

    private static async Task<Results<NoContent, RefusedHttpResult>> DeleteOrganization(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteOrganizationExportCommand(id, exportId), ct)).ToNoContent();

    private static async Task<Results<Created<ExportView>, RefusedHttpResult>> StartProject(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new StartProjectExportCommand(id), ct)).ToCreated(export => $"/api/v1/projects/{id}/exports/{export.Id}");

    private static async Task<Results<Ok<ExportList>, RefusedHttpResult>> ListProject(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListProjectExportsQuery(id), ct)).ToHttp();

    private static async Task<Results<Ok<ExportView>, RefusedHttpResult>> GetProject(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetProjectExportQuery(id, exportId), ct)).ToHttp();

    private static async Task<Results<FileStreamHttpResult, RefusedHttpResult>> DownloadProject(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DownloadProjectExportQuery(id, exportId), ct)).ToZip();

    private static async Task<Results<NoContent, RefusedHttpResult>> DeleteProject(
        Guid id, [FromRoute(Name = "export_id")] Guid exportId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteProjectExportCommand(id, exportId), ct)).ToNoContent();
}
