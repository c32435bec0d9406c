using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>No node begins jobs of a kind any more, two seconds from now at the latest, until it is resumed. Those that run end by themselves.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.JobKindPaused)]
public sealed record PauseJobKindCommand(string Kind) : ICommand<Done>;

internal sealed class PauseJobKindValidator : AbstractValidator<PauseJobKindCommand>
{
    public PauseJobKindValidator() => RuleFor(command => command.Kind).IsJobKind();
}

internal sealed class PauseJobKindHandler(IJobAdministration jobs, AuditSubject audit) : IRequestHandler<PauseJobKindCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(PauseJobKindCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Kind;
        return await jobs.PauseKindAsync(request.Kind, cancellationToken) ? Done.Value : JobRefusals.NoKind;
    }
}
