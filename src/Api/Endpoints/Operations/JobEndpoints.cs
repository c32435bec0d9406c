using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Operations.Jobs;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Operations;

internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder api)
    {
        var admin = api.MapGroup("/admin").WithTags("Jobs").NeverStored();
        admin.MapGet("/jobs", ListJobs).Runs<ListJobsQuery>("List jobs that wait, run or were given up");
        admin.MapGet("/jobs/stats", GetJobStatistics).Runs<GetJobStatisticsQuery>("See how the queue does, by kind and by minute");
        admin.MapPost("/jobs/replay", ReplayJobs).Runs<ReplayJobsCommand>("Run jobs of a kind that were given up again");
        admin.MapPost("/jobs/kinds/{kind}/pause", PauseJobKind).Runs<PauseJobKindCommand>("Begin no more jobs of a kind", Status404NotFound);
        admin.MapPost("/jobs/kinds/{kind}/resume", ResumeJobKind).Runs<ResumeJobKindCommand>("Begin jobs of a paused kind again", Status404NotFound);
        admin.MapGet("/jobs/{id:guid}", GetJob).Runs<GetJobQuery>("Read a job and its errors", Status404NotFound);
        admin.MapPost("/jobs/{id:guid}/retry", RetryJob).Runs<RetryJobCommand>("Run a job now", Status404NotFound, Status409Conflict);
        admin.MapPost("/jobs/{id:guid}/delete", DeleteJob).Runs<DeleteJobCommand>("Remove a job", Status404NotFound, Status409Conflict);
        admin.MapGet("/schedules", ListSchedules).Runs<ListSchedulesQuery>("List schedules");
        admin.MapPost("/schedules/{name}/run", RunSchedule).Runs<RunScheduleCommand>("Run a schedule now", Status404NotFound);
        admin.MapPost("/schedules/{name}/pause", PauseSchedule).Runs<PauseScheduleCommand>("Pause a schedule", Status404NotFound);
        admin.MapPost("/schedules/{name}/resume", ResumeSchedule).Runs<ResumeScheduleCommand>("Resume a schedule", Status404NotFound);
    }

    private static async Task<Results<Ok<CursorPage<JobView>>, RefusedHttpResult>> ListJobs(
        Word<JobState>? state,
        string? kind,
        Guid? organization,
        [FromQuery(Name = "has_failed")] bool? hasFailed,
        Guid? cursor,
        int? limit,
        IMediator mediator,
        CancellationToken ct) =>
        (await mediator.Send(new ListJobsQuery(state?.Value, kind, organization, hasFailed, cursor, limit), ct)).ToHttp();

    private static async Task<Results<Ok<JobStatistics>, RefusedHttpResult>> GetJobStatistics(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetJobStatisticsQuery(), ct)).ToHttp();

    private static async Task<Results<Ok<JobsReplayed>, RefusedHttpResult>> ReplayJobs(ReplayJobsCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> PauseJobKind(string kind, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new PauseJobKindCommand(kind), ct)).ToNoContent();

    private static async Task<Results<NoContent, RefusedHttpResult>> ResumeJobKind(string kind, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResumeJobKindCommand(kind), ct)).ToNoContent();

    private static async Task<Results<Ok<JobView>, RefusedHttpResult>> GetJob(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetJobQuery(id), ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> RetryJob(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RetryJobCommand(id), ct)).ToNoContent();

    private static async Task<Results<NoContent, RefusedHttpResult>> DeleteJob(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteJobCommand(id), ct)).ToNoContent();

    private static async Task<Results<Ok<ScheduleList>, RefusedHttpResult>> ListSchedules(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListSchedulesQuery(), ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> RunSchedule(string name, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RunScheduleCommand(name), ct)).ToNoContent();

    private static async Task<Results<NoContent, RefusedHttpResult>> PauseSchedule(string name, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new PauseScheduleCommand(name), ct)).ToNoContent();

    private static async Task<Results<NoContent, RefusedHttpResult>> ResumeSchedule(string name, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResumeScheduleCommand(name), ct)).ToNoContent();
}
