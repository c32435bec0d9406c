using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal static class Columns
{
    public static void HasRowVersion<T>(this EntityTypeBuilder<T> builder)
        where T : class =>
        builder.Property<uint>(VtpDbContext.RowVersion).IsRowVersion();

    /// <summary>Encrypted at rest.</summary>
    public static void IsSealed(this PropertyBuilder<byte[]> property) => property.HasAnnotation(VtpDbContext.Sealed, true);
}
