using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Lets a paused schedule tick again.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.ScheduleResumed)]
public sealed record ResumeScheduleCommand(string Name) : ICommand<Done>;

internal sealed class ResumeScheduleValidator : AbstractValidator<ResumeScheduleCommand>
{
    public ResumeScheduleValidator() => RuleFor(command => command.Name).NotEmpty().MaximumLength(100);
}

internal sealed class ResumeScheduleHandler(ISchedules schedules, AuditSubject audit) : IRequestHandler<ResumeScheduleCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(ResumeScheduleCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Name;
        return await schedules.ResumeAsync(request.Name, cancellationToken) ? Done.Value : JobRefusals.NoSchedule;
    }
}
