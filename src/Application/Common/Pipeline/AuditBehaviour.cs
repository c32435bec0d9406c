using System.Reflection;
using MediatR;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>
/// Success: the entry joins the handler's own save, so that one commit holds both or neither. Refusal: written on its
/// own. Requests that never became a decision (malformed, over a limit, no capacity) are metrics, not history: they
/// would let anybody fill the trail.
/// </summary>
internal sealed class AuditBehaviour<TRequest, TResponse>(
    IVtpDb db, AuditSubject subject, TenantScope tenant, ICaller caller, TimeProvider clock)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    private static readonly string Action = typeof(TRequest).GetCustomAttribute<AuditedAttribute>()!.Action;

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        db.PendingAudit = () => Entry(reason: null);
        try
        {
            var result = await next();
            if (result.Refusal is { } refusal)
            {
                if (IsDecision(refusal))
                {
                    await db.WriteAuditAsync(Entry(refusal.Code), cancellationToken);
                }
            }
            else if (db.PendingAudit is { } unsaved)
            {
                await db.WriteAuditAsync(unsaved(), cancellationToken);
            }

            return result;
        }
        finally
        {
            db.PendingAudit = null;
        }
    }

    private static bool IsDecision(Refusal refusal) =>
        refusal.Kind is not (RefusalKind.Busy or RefusalKind.Invalid)
        && refusal.Code is not RateLimitRefusal.Code;

    private AuditEntry Entry(string? reason) => AuditEntry.Of(
        Action,
        reason,
        Actor(),
        new AuditTarget(subject.TargetId, subject.TargetName),
        new AuditOrigin(caller.IpAddress, caller.UserAgent, caller.TraceId),
        new AuditTrail(tenant.Organization, tenant.Project, tenant.AuditRetentionDays),
        clock.GetUtcNow());

    private AuditActor Actor() =>
        caller.Key is { } key ? new(ActorType.Key, key.KeyId, key.Name)
        : caller.Tracker is { } tracker ? new(ActorType.Key, tracker.Key ?? tracker.Id, tracker.PeerId)
        : (subject.ActorId ?? caller.SignedIn?.AccountId.Value) is { } person ? new(ActorType.User, person, Name: null)
        : new(caller.IsSystem ? ActorType.System : ActorType.Anonymous, Id: null, Name: null);
}
