using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Audit;

/// <summary>
/// Reads the installation's own trail and holds it against its hashes and signatures, as for an organization: what is wrong
/// is in the answer, which is 200 either way.
/// </summary>
[Requires(Permission.Operate)]
[RequestCost(10)]
public sealed record VerifyInstallationAuditLogsQuery : IQuery<AuditVerification>;

internal sealed class VerifyInstallationAuditLogsHandler(IAuditTrail trail, TenantScope tenant)
    : IRequestHandler<VerifyInstallationAuditLogsQuery, Result<AuditVerification>>
{
    public async Task<Result<AuditVerification>> Handle(VerifyInstallationAuditLogsQuery request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        return await trail.VerifyAsync(cancellationToken);
    }
}
