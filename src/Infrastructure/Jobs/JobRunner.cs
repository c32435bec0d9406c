using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Infrastructure.Jobs;

/// <summary>What a run failed of, without what it worked on.</summary>
/// <param name="IsPoison">No other run can end better.</param>
internal sealed record JobFault(string Type, string Message, bool IsPoison = false)
{
    private const int MaximumMessage = 500;

    public static JobFault Of(Exception exception) => new(exception.GetType().Name, Cut(exception.Message));

    // PostgreSQL takes neither NUL nor half of a surrogate pair.
    public static string Cut(string text) =>
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, MaximumMessage)])).Replace('\0', ' ');
}

/// <summary>Sends one job's command through the pipeline, in a scope of its own: as the system, for its tenant, in its trace.</summary>
internal sealed partial class JobRunner(IServiceScopeFactory scopes, JobMetrics metrics, TimeProvider clock, ILogger<JobRunner> logger)
{
    /// <returns>Null when it is done.</returns>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async Task<JobFault?> RunAsync(ClaimedJob job, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var trace = Trace(job);
        var started = clock.GetTimestamp();
        var outcome = "interrupted";
        try
        {
            var fault = await SendAsync(job, cancellationToken);
            outcome = fault is null ? "done" : "failed";
            trace.SetTag("vtp.outcome", fault?.Type ?? outcome);
            return fault;
        }
#pragma warning disable CA1031 // Whatever one job does must not end the others.
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            outcome = "failed";
            trace.SetStatus(ActivityStatusCode.Error).SetTag("error.type", exception.GetType().FullName);
            LogFailed(job.Kind.Name, job.Id, job.Attempt, exception);
            return JobFault.Of(exception);
        }
        finally
        {
            metrics.Took(job.Kind.Name, outcome, clock.GetElapsedTime(started));
        }
    }

    private async Task<JobFault?> SendAsync(ClaimedJob job, CancellationToken cancellationToken)
    {
        ICommand<Done> work;
        try
        {
            work = JobKinds.Read(job.Kind, job.Payload);
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentException)
        {
            LogPoison(job.Kind.Name, job.Id, (exception as JsonException)?.Path);
            return new JobFault(
                "InvalidPayload", JobFault.Cut($"The payload is no {job.Kind.Command.Name}: see {(exception as JsonException)?.Path ?? "$"}."), IsPoison: true);
        }

        await using var scope = scopes.CreateAsyncScope();
        if (job.Organization is { } organization)
        {
            scope.ServiceProvider.GetRequiredService<TenantScope>().Enter(
                new OrganizationId(organization), job.Project is { } project ? new ProjectId(project) : null, job.RetentionDays ?? Organization.DefaultAuditRetentionDays);
        }

        var result = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(work, cancellationToken);
        return result.Refusal is { } refusal ? new JobFault(refusal.Code, JobFault.Cut(refusal.Detail)) : null;
    }

    /// <summary>Logs, spans and audit entries of the run carry the trace of the request that asked for it, also while nobody collects traces.</summary>
    private static Activity Trace(ClaimedJob job)
    {
        var asked = TraceContext.Read(job.TraceParent);
        if (Telemetry.Source.StartActivity($"job {job.Kind.Name}", ActivityKind.Consumer, asked) is { } span)
        {
            return span.SetTag("vtp.job.id", job.Id).SetTag("vtp.job.attempt", job.Attempt);
        }

        var activity = new Activity("job").SetIdFormat(ActivityIdFormat.W3C);
        if (asked != default)
        {
            activity.SetParentId(asked.TraceId, asked.SpanId, asked.TraceFlags);
        }

        return activity.Start();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Kind} {Id} failed at attempt {Attempt}")]
    private partial void LogFailed(string kind, Guid id, int attempt, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {Kind} {Id} cannot be read at {Path}")]
    private partial void LogPoison(string kind, Guid id, string? path);
}
