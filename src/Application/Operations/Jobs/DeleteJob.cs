using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Jobs;

/// <summary>Removes a job that waits or was given up. What it was to do is not done.</summary>
[Requires(Permission.Operate)]
[Audited(AuditActions.JobDeleted)]
public sealed record DeleteJobCommand(Guid Id) : ICommand<Done>;

internal sealed class DeleteJobHandler(IJobAdministration jobs, AuditSubject audit) : IRequestHandler<DeleteJobCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(DeleteJobCommand request, CancellationToken cancellationToken)
    {
        audit.TargetId = request.Id;
        return await jobs.DeleteAsync(request.Id, cancellationToken) ? Done.Value
            : await jobs.FindAsync(request.Id, cancellationToken) is null ? JobRefusals.NotFound
            : JobRefusals.Running;
    }
}
