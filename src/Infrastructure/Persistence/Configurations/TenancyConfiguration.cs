using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal sealed class OrganizationConfiguration : IEntityTypeConfiguration<Organization>
{
    public void Configure(EntityTypeBuilder<Organization> builder)
    {
        builder.Property(organization => organization.Id).ValueGeneratedNever();
        builder.HasSearchText();
        builder.HasRowVersion();
        builder.IsAudited("organization");
        builder.HasQueryFilter(Queries.AliveFilter, organization => organization.DeletedAt == null);
    }
}

internal sealed class MemberConfiguration : IEntityTypeConfiguration<Member>
{
    public void Configure(EntityTypeBuilder<Member> builder)
    {
        builder.Property(member => member.Id).ValueGeneratedNever();
        builder.HasOne<Organization>().WithMany().HasForeignKey(member => member.OrganizationId);
        builder.HasRowVersion();
        builder.IsAudited("member");
    }
}

internal sealed class InvitationConfiguration : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> builder)
    {
        builder.Property(invitation => invitation.Id).ValueGeneratedNever();
        builder.HasOne<Organization>().WithMany().HasForeignKey(invitation => invitation.OrganizationId);
        builder.HasRowVersion();
        builder.IsAudited("invitation");
    }
}

internal sealed class ProjectConfiguration : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.Property(project => project.Id).ValueGeneratedNever();
        builder.HasOne<Organization>().WithMany().HasForeignKey(project => project.OrganizationId);
        builder.Property(project => project.StorageConfig).HasColumnType("jsonb").HasConversion(
            config => JsonSerializer.Serialize(config, JsonSerializerOptions.Default),
            text => JsonSerializer.Deserialize<StorageConfig>(text, JsonSerializerOptions.Default));
        builder.HasSearchText();
        builder.HasRowVersion();
        builder.IsAudited("project");
        builder.HasQueryFilter(Queries.AliveFilter, project => project.DeletedAt == null);
    }
}

internal sealed class ApiKeyConfiguration : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.Property(key => key.Id).ValueGeneratedNever();
        builder.HasOne<Project>().WithMany().HasForeignKey(key => key.ProjectId);

        // Written by a trigger, with the database's clock.
        builder.Property<DateTimeOffset>("ChangedAt").ValueGeneratedOnAddOrUpdate();
        builder.HasRowVersion();
        builder.IsAudited("api_key");
    }
}

internal sealed class ArchiveExportConfiguration : IEntityTypeConfiguration<ArchiveExport>
{
    public void Configure(EntityTypeBuilder<ArchiveExport> builder)
    {
        builder.Property(export => export.Id).ValueGeneratedNever();
        builder.HasOne<Organization>().WithMany().HasForeignKey(export => export.OrganizationId);
        builder.HasOne<Project>().WithMany().HasForeignKey(export => export.ProjectId);
        builder.HasRowVersion();
    }
}
