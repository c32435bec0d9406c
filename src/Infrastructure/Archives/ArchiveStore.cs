using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Application.Tenancy.Archives;
using Vtp.Application.Tenancy.Exports;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Archives;

internal sealed class ArchiveStore(NpgsqlDataSource database, VtpDbContext db, TenantScope tenant) : IArchiveStore
{
    public async Task<StoredArchive> WriteAsync(ArchiveExport kept, Archive archive, CancellationToken cancellationToken)
    {
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await TenantSetting.SetAsync(connection, kept.OrganizationId.Value, kept.ProjectId?.Value, cancellationToken);
        await using var chunks = new ChunkWriter(connection, kept);
        await archive.WriteToAsync(chunks, cancellationToken);
        return await chunks.CompleteAsync(cancellationToken);
    }

    public Stream Open(ArchiveExport kept) => new ChunkReader(database, tenant, kept);
}
