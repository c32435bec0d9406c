using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>PostgreSQL's data directory: where it is, how it comes to be, and who is using it.</summary>
internal sealed class DataDirectory
{
    private const string SharedRoot = "/var/lib/vtp";
    private const long LeastFreeBytes = 64L << 20;

    private static readonly TimeSpan OrphanPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(25);

    private readonly EmbeddedFolder _folder;

    private DataDirectory(EmbeddedFolder folder, string path) => (_folder, Path) = (folder, path);

    public string Path { get; private set; }

    private string Parent => System.IO.Path.GetDirectoryName(Path)!;

    private bool IsLinked => !string.Equals(Path, _folder.Data, StringComparison.Ordinal);

    public static DataDirectory Locate(EmbeddedFolder folder) =>
        new(folder, new DirectoryInfo(folder.Data).LinkTarget ?? folder.Data);

    /// <summary>
    /// Keeps the data in <c>.vtp</c> where the server's user can go there, else behind a link in <see cref="SharedRoot"/>:
    /// a clone under /root is out of reach for <c>postgres</c>.
    /// </summary>
    public async Task PlaceAsync(CancellationToken ct)
    {
        if (!IsLinked && !Directory.Exists(Path) && !await ServerUser.CanEnterAsync(_folder.Path, ct))
        {
            Path = $"{SharedRoot}/{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
            File.CreateSymbolicLink(_folder.Data, Path);
        }

        if (IsLinked)
        {
            await ServerUser.MakePassageAsync(SharedRoot, ct);
        }
    }

    /// <summary>The major version that made the data; null when there is none yet.</summary>
    public int? ReadMajor()
    {
        try
        {
            return Directory.Exists(Path)
                ? int.Parse(File.ReadAllText(System.IO.Path.Combine(Path, "PG_VERSION")), CultureInfo.InvariantCulture)
                : null;
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException or FileNotFoundException or FormatException)
        {
            throw new StartupFault($"{Path} is not data that VTP can open ({unreadable.Message}): start VTP as the user that " +
                "made it, or start from nothing with --reset.", unreadable);
        }
    }

    public async Task CreateAsync(PostgresBinaries binaries, CancellationToken ct)
    {
        _folder.WritePassword();
        var scrap = NewScrap();
        await ServerUser.MakePrivateFolderAsync(scrap, ct);

        var run = await Supervised.MakeRunFolderAsync(ct);
        var password = System.IO.Path.Combine(run, "password");
        await ServerUser.CopyPrivatelyAsync(_folder.PasswordFile, password, ct);

        await using var initdb = Supervised.Start(run, _folder.Log, binaries["initdb"],
            "--pgdata", scrap, "--no-clean", "--data-checksums",
            "--username", "postgres", "--pwfile", password, "--auth", "scram-sha-256",
            // Rows sort by code point, on every system and version alike; upper and lower case know all of Unicode.
            "--encoding", "UTF8", "--locale", "C", "--lc-ctype", OperatingSystem.IsMacOS() ? "UTF-8" : "C.UTF-8");
        await initdb.Exited.WaitAsync(ct);

        if (!initdb.Succeeded)
        {
            throw _folder.Fault($"PostgreSQL could not make a data directory in {Path}");
        }

        Directory.Move(scrap, Path);
    }

    public void RefuseFullDisk()
    {
        if (new DriveInfo(Parent).AvailableFreeSpace < LeastFreeBytes)
        {
            throw ServerLog.DiskFull(Path);
        }
    }

    /// <summary>Waits for the server of a VTP that was killed, which is ending by itself, and stops one that is not.</summary>
    public async Task AwaitOrphanAsync(CancellationToken ct)
    {
        if (await OrphanEndsAsync(OrphanPatience, ct))
        {
            return;
        }

        if (OrphanId() is { } process)
        {
            // What pg_ctl stop --mode fast sends, without the need for the binaries of the right version.
            await Command.RunAsync(["/bin/sh", "-c", "kill -INT \"$0\"", process], ct);
        }

        if (!await OrphanEndsAsync(StopPatience, ct))
        {
            throw new StartupFault($"An earlier PostgreSQL (process {OrphanId()}) still runs on {Path} and does not stop.");
        }
    }

    /// <summary>Lets PostgreSQL start where a machine or container that lost power gave the old server's number away.</summary>
    public void ForgetDeadServer()
    {
        if (ReadPidFile(Path) is [var process, ..] && Directory.Exists($"/proc/{process}"))
        {
            File.Delete(PidFileIn(Path));
        }
    }

    /// <summary>Whether the server that listens in this run folder, and no earlier one, accepts connections.</summary>
    public bool IsServedFrom(string run) => ReadPidFile(Path) is [_, _, _, _, var socketFolder, _, _, var state, ..]
        && string.Equals(socketFolder, run, StringComparison.Ordinal)
        && string.Equals(state.Trim(), "ready", StringComparison.Ordinal);

    public async Task DeleteAsync(CancellationToken ct)
    {
        if (Directory.Exists(Path))
        {
            // One step turns data into scrap, so that a kill half way leaves no half of a database.
            Directory.Move(Path, NewScrap());
        }

        await SweepAsync(ct);
        File.Delete(_folder.PasswordFile);
        if (IsLinked)
        {
            File.Delete(_folder.Data);
        }
    }

    /// <summary>Removes what a start that was killed left behind.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        if (!Directory.Exists(Parent))
        {
            return;
        }

        foreach (var scrap in Directory.EnumerateDirectories(Parent, $"{System.IO.Path.GetFileName(Path)}.*.scrap"))
        {
            // An initdb that is just ending may still be writing there: then the rest goes at the next start.
            await Command.RunAsync(["rm", "-rf", scrap], ct);
        }
    }

    // What is being made or thrown away has a name of its own, so that a kill half way leaves nothing that looks like data.
    private string NewScrap() => $"{Path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.scrap";

    private async Task<bool> OrphanEndsAsync(TimeSpan patience, CancellationToken ct)
    {
        for (var start = Stopwatch.GetTimestamp(); OrphanId() is not null; await Task.Delay(Tick, ct))
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
            {
                return false;
            }
        }

        return true;
    }

    // A process number alone proves nothing after a crash. A server works in its data directory, so that the process is ours
    // when the file that it sees there is the one that we see.
    private string? OrphanId() =>
        ReadPidFile(Path) is [var process, _, var started, ..]
        && ReadPidFile($"/proc/{process}/cwd") is [var itself, _, var itsStart, ..]
        && (itself, itsStart) == (process, started)
            ? process
            : null;

    private static string[] ReadPidFile(string directory)
    {
        try
        {
            return File.ReadAllLines(PidFileIn(directory));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string PidFileIn(string directory) => System.IO.Path.Combine(directory, "postmaster.pid");
}
