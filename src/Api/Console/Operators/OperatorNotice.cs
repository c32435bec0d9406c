using System.Globalization;
using MediatR;
using Microsoft.AspNetCore.WebUtilities;
using Vtp.Application.Common;

namespace Vtp.Api.Console.Operators;

/// <summary>What has been done, told by the page that one comes back to: the address holds its name, and nobody's text.</summary>
internal static class OperatorNotice
{
    public const string JobRetried = "job-retried";
    public const string JobDeleted = "job-deleted";
    public const string JobsReplayed = "jobs-replayed";
    public const string KindPaused = "kind-paused";
    public const string KindResumed = "kind-resumed";
    public const string ScheduleRun = "schedule-run";
    public const string SchedulePaused = "schedule-paused";
    public const string ScheduleResumed = "schedule-resumed";

    private const string Name = "done";
    private const string Counted = "count";

    public static async Task<IResult> DoAsync<TAnswer>(
        this IMediator mediator, ICommand<TAnswer> command, string notice, string? back, CancellationToken ct, Func<TAnswer, int>? count = null)
        where TAnswer : notnull
    {
        if (!(await mediator.Send(command, ct)).TryGet(out var answer, out var refusal))
        {
            return OperatorForms.Refused(refusal, back);
        }

        var page = QueryHelpers.AddQueryString(OperatorForms.Inside(back), Name, notice);
        return Results.LocalRedirect(count is null ? page : QueryHelpers.AddQueryString(page, Counted, count(answer).ToString(CultureInfo.InvariantCulture)));
    }

    public static string? SentenceOf(IQueryCollection query) => query[Name].ToString() switch
    {
        JobRetried => "The job is due now.",
        JobDeleted => "The job is removed.",
        JobsReplayed when int.TryParse(query[Counted], NumberStyles.None, CultureInfo.InvariantCulture, out var count) =>
            count == 1 ? "One job begins anew." : $"{Words.Count(count)} jobs begin anew.",
        KindPaused => "No job of this kind is begun any more; those that run end by themselves.",
        KindResumed => "Jobs of this kind are begun again.",
        ScheduleRun => "The schedule has ticked once; its job is in the queue.",
        SchedulePaused => "The schedule is paused.",
        ScheduleResumed => "The schedule ticks again.",
        _ => null,
    };

    /// <summary>The page without its notice, to come back to.</summary>
    public static string Without(HttpRequest request) => request.Path + QueryString.Create(request.Query.Where(pair => pair.Key is not (Name or Counted)));
}
