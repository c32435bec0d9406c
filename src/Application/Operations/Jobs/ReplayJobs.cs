using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Begins jobs of one kind that were given up anew, oldest first. Those of one unique key become one.</summary>
/// <param name="Limit">At most so many, 1 to 10,000; 10,000 when absent.</param>
[Requires(Permission.Operate)]
[Audited(AuditActions.JobKindReplayed)]
public sealed record ReplayJobsCommand(string? Kind, int? Limit) : ICommand<JobsReplayed>;

/// <param name="Replayed">How many are dead no more.</param>
/// <param name="IsComplete">False when there may be more of the kind.</param>
public sealed record JobsReplayed(int Replayed, bool IsComplete);

internal sealed class ReplayJobsValidator : AbstractValidator<ReplayJobsCommand>
{
    public ReplayJobsValidator()
    {
        RuleFor(command => command.Kind).IsJobKind();
        RuleFor(command => command.Limit).Must(limit => limit is null or (>= 1 and <= ReplayJobsHandler.AtOnce)).WithMessage("The limit lies between 1 and 10,000.");
    }
}

internal sealed class ReplayJobsHandler(IJobAdministration jobs, AuditSubject audit) : IRequestHandler<ReplayJobsCommand, Result<JobsReplayed>>
{
    public const int AtOnce = 10_000;

    public async Task<Result<JobsReplayed>> Handle(ReplayJobsCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Kind;
        var limit = request.Limit ?? AtOnce;
        var replayed = await jobs.ReplayAsync(request.Kind!, limit, cancellationToken);
        return new JobsReplayed(replayed, replayed < limit);
    }
}
