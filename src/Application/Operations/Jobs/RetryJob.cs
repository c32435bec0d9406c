using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Begins a job that was given up anew, and makes one that waits due now.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.JobRetried)]
public sealed record RetryJobCommand(Guid Id) : ICommand<Done>;

internal sealed class RetryJobHandler(IJobAdministration jobs, AuditSubject audit) : IRequestHandler<RetryJobCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(RetryJobCommand request, CancellationToken cancellationToken)
    {
        audit.TargetId = request.Id;
        return await jobs.RetryAsync(request.Id, cancellationToken) ? Done.Value
            : await jobs.FindAsync(request.Id, cancellationToken) is null ? JobRefusals.NotFound
            : JobRefusals.Running;
    }
}
