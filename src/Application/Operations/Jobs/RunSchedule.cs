using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>One tick of a schedule now, whatever its times.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.ScheduleRun)]
public sealed record RunScheduleCommand(string Name) : ICommand<Done>;

internal sealed class RunScheduleValidator : AbstractValidator<RunScheduleCommand>
{
    public RunScheduleValidator() => RuleFor(command => command.Name).NotEmpty().MaximumLength(100);
}

internal sealed class RunScheduleHandler(ISchedules schedules, AuditSubject audit) : IRequestHandler<RunScheduleCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RunScheduleCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Name;
        return await schedules.RunAsync(request.Name, cancellationToken) ? Done.Value : JobRefusals.NoSchedule;
    }
}
