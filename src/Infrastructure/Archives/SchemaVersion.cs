using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

/// <summary>The migrations that this server knows, which it has all run before it listens.</summary>
internal sealed class SchemaVersion(IDbContextFactory<VtpDbContext> contexts)
{
    public async Task<string> NewestAsync(CancellationToken cancellationToken) => (await KnownAsync(cancellationToken))[^1];

    public async Task<IReadOnlyList<string>> KnownAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return [.. db.GetService<IMigrationsAssembly>().Migrations.Keys.Order(StringComparer.Ordinal)];
    }
}
