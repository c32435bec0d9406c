using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

/// <summary>
/// Reads one organization's whole trail and holds it against its hashes and signatures. What is wrong is in the answer, which
/// is 200 either way. It is the server's own word: whoever does not trust that takes the export and verifies it elsewhere.
/// </summary>
[Requires(Permission.ViewAuditLogs)]
[RequestCost(10)]
public sealed record VerifyAuditLogsQuery(Guid OrgId) : IQuery<AuditVerification>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(OrgId);
}

/// <summary>What was found in a chain.</summary>
/// <param name="Valid">Nothing was found.</param>
/// <param name="Entries">Entries that were read.</param>
/// <param name="FirstSequence">Of the first entry that is there; null without entries.</param>
/// <param name="LastCheckpointAt">When the newest checkpoint was signed.</param>
/// <param name="NotYetCovered">Entries after the last checkpoint: nothing is wrong with them, and nothing is proven yet.</param>
/// <param name="Findings">The first hundred.</param>
/// <param name="Truncated">There are more findings than these.</param>
public sealed record AuditVerification(
    bool Valid,
    long Entries,
    long? FirstSequence,
    long? LastSequence,
    DateTimeOffset? LastCheckpointAt,
    long NotYetCovered,
    IReadOnlyList<AuditVerificationFinding> Findings,
    bool Truncated);

/// <summary>One thing that is wrong, and where.</summary>
/// <param name="Sequence">The entry, or the first of several; null where none can be named.</param>
/// <param name="LastSequence">The last of several; null for one.</param>
/// <param name="Id">Of the entry, where it is there.</param>
/// <param name="Message">One sentence for the person who reads it.</param>
public sealed record AuditVerificationFinding(AuditFindingKind Kind, long? Sequence, long? LastSequence, Guid? Id, string Message);

internal sealed class VerifyAuditLogsHandler(IAuditTrail trail) : IRequestHandler<VerifyAuditLogsQuery, Result<AuditVerification>>
{
    public async Task<Result<AuditVerification>> Handle(VerifyAuditLogsQuery request, CancellationToken cancellationToken) =>
        await trail.VerifyAsync(cancellationToken);
}

internal static class AuditVerifications
{
    private const int MaximumFindings = 100;

    private static readonly AuditVerificationFinding NoCheckpoint = new(
        AuditFindingKind.BadSignature, null, null, null, "There is no valid checkpoint, so nothing ties these entries to what the server signed.");

    public static async Task<AuditVerification> VerifyAsync(this IAuditTrail trail, CancellationToken cancellationToken)
    {
        var findings = new List<AuditVerificationFinding>();
        var summary = await trail.VerifyAsync(
            finding =>
            {
                if (findings.Count < MaximumFindings)
                {
                    findings.Add(new(finding.Kind, finding.Sequence, finding.LastSequence, finding.Id, finding.Sentence));
                }
            },
            cancellationToken);
        if (summary is { Entries: > 0, Checkpoints: 0 } && findings.Count < MaximumFindings)
        {
            findings.Add(NoCheckpoint);
        }

        return new AuditVerification(
            findings.Count == 0,
            summary.Entries,
            summary.FirstSequence,
            summary.LastSequence,
            summary.LastCheckpointAt,
            summary.NotYetCovered,
            findings,
            summary.Findings > findings.Count);
    }
}
