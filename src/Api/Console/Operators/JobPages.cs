using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Application.Common;
using Vtp.Application.Operations.Jobs;

namespace Vtp.Api.Console.Operators;

/// <summary>The queue and the schedules: the same use cases as <c>/api/v1/admin/jobs</c>, for people.</summary>
internal static class JobPages
{
    public const string Jobs = "/console/jobs";
    public const string Schedules = "/console/schedules";

    private const int Shown = 10;
    private const int OfOnePage = 50;

    public static void MapJobPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(Jobs, ShowJobs).Runs(typeof(GetJobStatisticsQuery));
        pages.MapGet(Jobs + "/{list}", ShowList).Runs(typeof(ListJobsQuery));
        pages.MapPost(Jobs + "/{id:guid}/retry", Retry).Runs(typeof(RetryJobCommand));
        pages.MapPost(Jobs + "/{id:guid}/delete", Delete).Runs(typeof(DeleteJobCommand));
        pages.MapPost(Jobs + "/kinds/{kind}/replay", Replay).Runs(typeof(ReplayJobsCommand));
        pages.MapPost(Jobs + "/kinds/{kind}/pause", PauseKind).Runs(typeof(PauseJobKindCommand));
        pages.MapPost(Jobs + "/kinds/{kind}/resume", ResumeKind).Runs(typeof(ResumeJobKindCommand));
        pages.MapPost(Schedules + "/{name}/run", RunSchedule).Runs(typeof(RunScheduleCommand));
        pages.MapPost(Schedules + "/{name}/pause", PauseSchedule).Runs(typeof(PauseScheduleCommand));
        pages.MapPost(Schedules + "/{name}/resume", ResumeSchedule).Runs(typeof(ResumeScheduleCommand));
    }

    private static async Task<IResult> ShowJobs(IMediator mediator, CancellationToken ct)
    {
        if (!(await mediator.Send(new GetJobStatisticsQuery(), ct)).TryGet(out var statistics, out var refusal)
            || !(await mediator.Send(new ListSchedulesQuery(), ct)).TryGet(out var schedules, out refusal))
        {
            return OperatorForms.Refused(refusal);
        }

        var lists = new List<JobsOf>();
        foreach (var list in new[] { JobList.Dead, JobList.Failed, JobList.Running })
        {
            if (!(await mediator.Send(list.Query(kind: null, cursor: null, Shown), ct)).TryGet(out var page, out refusal))
            {
                return OperatorForms.Refused(refusal);
            }

            lists.Add(new JobsOf(list, page));
        }

        return Pages.Page<JobsPage>(new { Statistics = statistics, Lists = lists, Schedules = schedules.Data });
    }

    private static async Task<IResult> ShowList(string list, string? kind, Guid? cursor, IMediator mediator, CancellationToken ct)
    {
        if (JobList.All.FirstOrDefault(known => known.Path == list) is not { } found)
        {
            return Results.NotFound();
        }

        return (await mediator.Send(found.Query(kind, cursor, OfOnePage), ct)).TryGet(out var page, out var refusal)
            ? Pages.Page<JobListPage>(new { Jobs = new JobsOf(found, page), Kind = kind })
            : OperatorForms.Refused(refusal);
    }

    private static Task<IResult> Retry(Guid id, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new RetryJobCommand(id), OperatorNotice.JobRetried, back, ct);

    private static Task<IResult> Delete(Guid id, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new DeleteJobCommand(id), OperatorNotice.JobDeleted, back, ct);

    private static Task<IResult> Replay(string kind, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new ReplayJobsCommand(kind, Limit: null), OperatorNotice.JobsReplayed, back, ct, answer => answer.Replayed);

    private static Task<IResult> PauseKind(string kind, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new PauseJobKindCommand(kind), OperatorNotice.KindPaused, back, ct);

    private static Task<IResult> ResumeKind(string kind, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new ResumeJobKindCommand(kind), OperatorNotice.KindResumed, back, ct);

    private static Task<IResult> RunSchedule(string name, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new RunScheduleCommand(name), OperatorNotice.ScheduleRun, back, ct);

    private static Task<IResult> PauseSchedule(string name, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new PauseScheduleCommand(name), OperatorNotice.SchedulePaused, back, ct);

    private static Task<IResult> ResumeSchedule(string name, [FromForm] string? back, IMediator mediator, CancellationToken ct) =>
        mediator.DoAsync(new ResumeScheduleCommand(name), OperatorNotice.ScheduleResumed, back, ct);
}

/// <summary>A list that the console shows.</summary>
/// <param name="Path">Its word in the address.</param>
/// <param name="About">Who is in it.</param>
/// <param name="When">What the time of each is.</param>
public sealed record JobList(string Path, string Title, string About, string When, JobState State, bool? HasFailed)
{
    public static readonly JobList Dead = new("dead", "Dead jobs", "Given up after their last attempt.", "Given up", JobState.Dead, null);
    public static readonly JobList Failed = new("failed", "Failed jobs", "They wait for another attempt.", "Next attempt", JobState.Scheduled, true);
    public static readonly JobList Running = new("running", "Running jobs", "At this moment, on any node.", "Was due", JobState.Running, null);
    public static readonly JobList Ready = new("ready", "Ready jobs", "Due, and waiting for a place.", "Due", JobState.Ready, null);
    public static readonly JobList Scheduled = new("scheduled", "Scheduled jobs", "They wait for their time.", "Due", JobState.Scheduled, null);

    public static readonly IReadOnlyList<JobList> All = [Dead, Failed, Running, Ready, Scheduled];

    public ListJobsQuery Query(string? kind, Guid? cursor, int limit) => new(State, kind, Organization: null, HasFailed, cursor, limit);

    public string Address(string? kind = null, string? cursor = null) =>
        JobPages.Jobs + "/" + Path + QueryString.Create(new Dictionary<string, string?>(StringComparer.Ordinal) { ["kind"] = kind, ["cursor"] = cursor }.Where(pair => pair.Value is not null));
}

/// <summary>What a list holds now.</summary>
public sealed record JobsOf(JobList List, CursorPage<JobView> Page);
