using Vtp.Domain.Common;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Webhooks;

/// <summary>How an endpoint does. A row of its own, which deliveries write all the time.</summary>
public sealed class WebhookHealth : IOfProject
{
    private WebhookHealth(Guid endpointId, OrganizationId organizationId, ProjectId projectId) =>
        (EndpointId, OrganizationId, ProjectId) = (endpointId, organizationId, projectId);

    public Guid EndpointId { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public EndpointHealth State { get; private set; } = EndpointHealth.New;

    /// <summary>Of the state; null while it is sent to.</summary>
    public DateTimeOffset? DisabledAt { get; private set; }

    public DateTimeOffset? LastAttemptAt { get; private set; }

    public DateTimeOffset? LastSuccessAt { get; private set; }

    public static WebhookHealth Of(WebhookEndpoint endpoint) => new(endpoint.Id, endpoint.OrganizationId, endpoint.ProjectId);

    public Refusal? Enable(DateTimeOffset now)
    {
        if (!State.Enable(now).TryGet(out var next, out var refusal))
        {
            return refusal;
        }

        (State, DisabledAt) = (next, next.DisabledAt);
        return null;
    }
}
