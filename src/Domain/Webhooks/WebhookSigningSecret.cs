using System.Text;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Webhooks;

public enum WebhookSecretKind
{
    /// <summary>A <see cref="WebhookSecret"/>, which the receiver has too.</summary>
    Shared,

    /// <summary>A <see cref="WebhookKeyPair"/>, of which the receiver has the public half.</summary>
    KeyPair,
}

/// <summary>What an endpoint's deliveries are signed with, encrypted at rest. Several live at once while one takes over from another.</summary>
public sealed class WebhookSigningSecret : IOfProject
{
    public const int DefaultOverlapHours = 24;
    public const int MaximumOverlapHours = 168;

    private WebhookSigningSecret(
        Guid id, OrganizationId organizationId, ProjectId projectId, Guid endpointId, WebhookSecretKind kind, byte[] secret, DateTimeOffset createdAt) =>
        (Id, OrganizationId, ProjectId, EndpointId, Kind, Secret, CreatedAt) = (id, organizationId, projectId, endpointId, kind, secret, createdAt);

    public Guid Id { get; private set; }

    public OrganizationId OrganizationId { get; private set; }

    public ProjectId ProjectId { get; private set; }

    public Guid EndpointId { get; private set; }

    public WebhookSecretKind Kind { get; private set; }

    /// <summary>Its text form.</summary>
    public byte[] Secret { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>From when on it signs nothing; null while it is the newest.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <returns>The row, and what the receiver needs: the shared secret, or the public key.</returns>
    public static (WebhookSigningSecret Secret, string Shown) For(WebhookEndpoint endpoint, IEd25519 ed25519, DateTimeOffset now)
    {
        if (endpoint.SignsAsymmetrically)
        {
            var pair = WebhookKeyPair.New(ed25519);
            return (Of(endpoint, WebhookSecretKind.KeyPair, pair.SecretText, now), pair.PublicText);
        }

        var secret = WebhookSecret.New();
        return (Of(endpoint, WebhookSecretKind.Shared, secret.Text, now), secret.Text);
    }

    /// <summary>Ends with the overlap, or earlier if it was to end earlier.</summary>
    public void Retire(DateTimeOffset at) => ExpiresAt = ExpiresAt is { } end && end < at ? end : at;

    private static WebhookSigningSecret Of(WebhookEndpoint endpoint, WebhookSecretKind kind, string text, DateTimeOffset now) =>
        new(Uuid.NewVersion7(now), endpoint.OrganizationId, endpoint.ProjectId, endpoint.Id, kind, Encoding.ASCII.GetBytes(text), now);
}
