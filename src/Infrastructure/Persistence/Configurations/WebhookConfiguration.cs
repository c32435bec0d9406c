using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal sealed class WebhookEndpointConfiguration : IEntityTypeConfiguration<WebhookEndpoint>
{
    public void Configure(EntityTypeBuilder<WebhookEndpoint> builder)
    {
        builder.Property(endpoint => endpoint.Id).ValueGeneratedNever();
        builder.HasOne<Project>().WithMany().HasForeignKey(endpoint => endpoint.ProjectId);
        builder.Ignore(endpoint => endpoint.Retries);
        builder.HasRowVersion();
        builder.IsAudited("webhook");
    }
}

internal sealed class WebhookSigningSecretConfiguration : IEntityTypeConfiguration<WebhookSigningSecret>
{
    public void Configure(EntityTypeBuilder<WebhookSigningSecret> builder)
    {
        builder.ToTable("webhook_secrets");
        builder.Property(secret => secret.Id).ValueGeneratedNever();
        builder.HasOne<WebhookEndpoint>().WithMany().HasForeignKey(secret => secret.EndpointId);
        builder.Property(secret => secret.Secret).IsSealed();
        builder.HasRowVersion();
        builder.IsAudited("webhook_secret");
    }
}

internal sealed class WebhookHealthConfiguration : IEntityTypeConfiguration<WebhookHealth>
{
    public void Configure(EntityTypeBuilder<WebhookHealth> builder)
    {
        builder.ToTable("webhook_health");
        builder.HasKey(health => health.EndpointId);
        builder.HasOne<WebhookEndpoint>().WithOne().HasForeignKey<WebhookHealth>(health => health.EndpointId);
        builder.Property(health => health.State).HasColumnType("jsonb").HasConversion(state => HealthJson.Write(state), text => HealthJson.Read(text));
        builder.Property<bool>(Queries.IsPaused).ValueGeneratedOnAddOrUpdate();
        builder.HasRowVersion();
    }
}

internal sealed class WebhookDeliveryConfiguration : IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToTable("webhook_deliveries");
        builder.HasKey(delivery => new { delivery.Id, delivery.RecordedAt });
        builder.Property<string?>("Traceparent");
    }
}

internal sealed class WebhookAttemptConfiguration : IEntityTypeConfiguration<WebhookAttempt>
{
    public void Configure(EntityTypeBuilder<WebhookAttempt> builder)
    {
        builder.ToTable("webhook_attempts");
        builder.HasKey(attempt => new { attempt.Id, attempt.RecordedAt });
        builder.Property(attempt => attempt.RequestHeaders).HasColumnType("json");
    }
}

/// <summary>The breaker's state as it is stored.</summary>
internal static class HealthJson
{
    public static string Write(EndpointHealth state) => JsonSerializer.Serialize(state, JsonSerializerOptions.Default);

    public static EndpointHealth Read(string text) => JsonSerializer.Deserialize<EndpointHealth>(text, JsonSerializerOptions.Default)!;
}
