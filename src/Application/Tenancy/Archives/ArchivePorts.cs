using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Archives;

/// <summary>What an archive holds the whole of.</summary>
public enum ArchiveKind
{
    Organization,
    Project,
}

public static class ArchiveNames
{
    /// <summary>What a browser should save it as.</summary>
    public static string Of(ArchiveKind kind, Guid id) => $"{(kind == ArchiveKind.Organization ? "organization" : "project")}-{id}.zip";
}

/// <summary>How large an archive may be. Configuration: section Archives.</summary>
public sealed class ArchiveLimits
{
    private const int Unpacked = 10;

    /// <summary>Bytes of an archive as it is sent.</summary>
    public long MaximumBytes { get; set; } = 1L << 30;

    /// <summary>Bytes of all of its files together: text like ours shrinks to a tenth, and what shrinks further was made to fill a disk.</summary>
    public long MaximumUnpackedBytes => MaximumBytes > long.MaxValue / Unpacked ? long.MaxValue : MaximumBytes * Unpacked;
}

/// <summary>An archive that is made while it is sent.</summary>
/// <param name="FileName">What a browser should save it as.</param>
/// <param name="Name">Of the organization or project in it.</param>
/// <param name="WriteToAsync">Writes it; once, and before the request or job ends.</param>
public sealed record Archive(string FileName, string Name, Func<Stream, CancellationToken, Task> WriteToAsync);

/// <summary>
/// Makes archives. What is in one is what was there when it was opened, so that the entry of the trail that tells of the
/// export is not in it.
/// </summary>
public interface IArchiveExporter
{
    Task<Archive> OpenAsync(OrganizationId organization, CancellationToken cancellationToken);

    Task<Archive> OpenAsync(OrganizationId organization, ProjectId project, CancellationToken cancellationToken);
}

/// <summary>Takes archives in.</summary>
public interface IArchiveImporter
{
    /// <summary>Takes an archive in and checks all of it; nothing is written yet.</summary>
    Task<Result<ReceivedArchive>> ReceiveAsync(Stream body, ArchiveKind kind, CancellationToken cancellationToken);
}

/// <summary>An archive that is whole and well formed. Holds a temporary file until it is disposed.</summary>
public abstract class ReceivedArchive : IAsyncDisposable
{
    /// <summary>Of the organization or project in it; likewise the name.</summary>
    public abstract Guid Id { get; }

    public abstract string Name { get; }

    /// <summary>Writes it in the transaction of the running use case, which commits all of it or nothing.</summary>
    /// <param name="into">The organization that gets a project; that of the archive otherwise.</param>
    /// <param name="cancellationToken">The request's.</param>
    public abstract Task<Result<Restored>> RestoreAsync(OrganizationId into, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <param name="PeopleCreated">Accounts that were made; they have no password yet.</param>
/// <param name="PeopleKept">Members whose account was here already; it stays as it is.</param>
public sealed record Restored(int PeopleCreated, int PeopleKept);

public static class ArchiveRefusals
{
    public static readonly Refusal Exists =
        new(RefusalKind.Conflict, "archive.exists", "What is in this archive exists on this server already, perhaps deleted.");

    /// <param name="file">The file of the archive that is at fault.</param>
    /// <param name="sentence">Why, with the line.</param>
    public static Refusal Invalid(string file, string sentence) =>
        new(RefusalKind.Invalid, "archive.invalid", "The archive is damaged, or was not made by VTP. Nothing was imported.")
        {
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { [file] = [sentence] },
        };
}
