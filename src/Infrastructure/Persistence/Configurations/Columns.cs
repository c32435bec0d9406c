using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal static class Columns
{
    public static void HasRowVersion<T>(this EntityTypeBuilder<T> builder)
        where T : class =>
        builder.Property<uint>(VtpDbContext.RowVersion).IsRowVersion();

    /// <summary>Encrypted at rest.</summary>
    public static void IsSealed(this PropertyBuilder<byte[]> property) => property.HasAnnotation(VtpDbContext.Sealed, true);

    /// <summary>A generated column that searches read: the texts of a row without case and accents.</summary>
    public static void HasSearchText<T>(this EntityTypeBuilder<T> builder)
        where T : class =>
        builder.Property<string>(Queries.SearchText).IsRequired().ValueGeneratedOnAddOrUpdate();

    /// <summary>Changes of it stand in the trail.</summary>
    public static void IsAudited<T>(this EntityTypeBuilder<T> builder, string resource)
        where T : class =>
        builder.HasAnnotation(AuditChanges.Audited, resource);

    /// <summary>The trail says that it changed, not to what.</summary>
    public static void IsRedacted<T>(this PropertyBuilder<T> property) => property.HasAnnotation(AuditChanges.Redacted, true);
}
