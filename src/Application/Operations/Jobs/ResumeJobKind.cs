using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Lets jobs of a paused kind begin again.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.JobKindResumed)]
public sealed record ResumeJobKindCommand(string Kind) : ICommand<Done>;

internal sealed class ResumeJobKindValidator : AbstractValidator<ResumeJobKindCommand>
{
    public ResumeJobKindValidator() => RuleFor(command => command.Kind).IsJobKind();
}

internal sealed class ResumeJobKindHandler(IJobAdministration jobs, AuditSubject audit) : IRequestHandler<ResumeJobKindCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(ResumeJobKindCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Kind;
        return await jobs.ResumeKindAsync(request.Kind, cancellationToken) ? Done.Value : JobRefusals.NoKind;
    }
}
