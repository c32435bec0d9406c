using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>No more ticks of a schedule, until it is resumed.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.SchedulePaused)]
public sealed record PauseScheduleCommand(string Name) : ICommand<Done>;

internal sealed class PauseScheduleValidator : AbstractValidator<PauseScheduleCommand>
{
    public PauseScheduleValidator() => RuleFor(command => command.Name).NotEmpty().MaximumLength(100);
}

internal sealed class PauseScheduleHandler(ISchedules schedules, AuditSubject audit) : IRequestHandler<PauseScheduleCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(PauseScheduleCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Name;
        return await schedules.PauseAsync(request.Name, cancellationToken) ? Done.Value : JobRefusals.NoSchedule;
    }
}
