using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Notifications;
using Vtp.Application.Tenancy.Archives;
using Vtp.Domain.Common;
using Vtp.Domain.Notifications;
using Vtp.Domain.Tenancy.Exports;

namespace Vtp.Application.Tenancy.Exports;

/// <summary>Makes an archive and keeps it. Each try begins anew, with what is there then.</summary>
[Job(Kind, OwnPlaces = 2, PerTenant = 1, MaxAttempts = 5, FirstRetrySeconds = 5, LongestRetrySeconds = 600)]
[Requires(Permission.Anyone)]
public sealed record WriteExportCommand(Guid ExportId) : ICommand<Done>
{
    public const string Kind = "archives.export";
}

internal sealed class WriteExportHandler(IVtpDb db, IArchiveExporter archives, IArchiveStore store, TimeProvider clock)
    : IRequestHandler<WriteExportCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(WriteExportCommand request, CancellationToken cancellationToken)
    {
        var export = await db.ArchiveExports.SingleOrDefaultAsync(one => one.Id == request.ExportId, cancellationToken);
        if (export is null or { State: ExportState.Ready })
        {
            return Done.Value;
        }

        export.Begin();
        await db.SaveChangesAsync(cancellationToken);
        var archive = export.ProjectId is { } project
            ? await archives.OpenAsync(export.OrganizationId, project, cancellationToken)
            : await archives.OpenAsync(export.OrganizationId, cancellationToken);
        await db.BeginAsync(cancellationToken);
        var stored = await store.WriteAsync(export, archive, cancellationToken);
        var now = clock.GetUtcNow();
        export.Finish(stored.Bytes, stored.Sha256, now);
        var asked = await db.Accounts.SingleOrDefaultAsync(account => account.Id == export.RequestedBy, cancellationToken);
        if (asked is not null)
        {
            db.Send(OutgoingEmail.About(export.Id, asked.Email, EmailKind.ExportReady, now));
        }

        await db.SaveChangesAsync(cancellationToken);
        return Done.Value;
    }
}
