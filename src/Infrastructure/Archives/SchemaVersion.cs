using Microsoft.EntityFrameworkCore;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>The migrations that this server knows, which it has all run before it listens.</summary>
internal sealed class SchemaVersion(VtpDbContext db)
{
    public string Newest => Known[^1];

    public IReadOnlyList<string> Known { get; } = [.. db.Database.GetMigrations().Order(StringComparer.Ordinal)];
}
