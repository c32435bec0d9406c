using System.Security.Cryptography;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>The clone's <c>.vtp</c> folder, held by one VTP at a time.</summary>
internal sealed class EmbeddedFolder : IDisposable
{
    // flock(2) answers EWOULDBLOCK, which is 11 on Linux and 35 on macOS.
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMac = 35;

    private readonly FileStream _hold;

    private EmbeddedFolder(string path, FileStream hold) => (Path, _hold) = (path, hold);

    public string Path { get; }

    public string Data => System.IO.Path.Combine(Path, "postgres");

    public string Log => System.IO.Path.Combine(Path, "postgres.log");

    public string PasswordFile => System.IO.Path.Combine(Path, "postgres-password");

    public static EmbeddedFolder Hold(string folder)
    {
        var path = System.IO.Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(path);
            // The kernel lets go of it when VTP ends, kill -9 included, so that it is never left behind.
            return new EmbeddedFolder(path, new FileStream(
                System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException held) when (held.HResult is WouldBlockOnLinux or WouldBlockOnMac)
        {
            throw new StartupFault($"Another VTP is running on {path}: stop it before you start this one.", held);
        }
        catch (IOException full) when (ServerLog.IsDiskFull(full))
        {
            throw ServerLog.DiskFull(path, full);
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new StartupFault($"VTP may not write to {path}: start it as the user that owns this folder.", denied);
        }
    }

    /// <summary>A fresh log for this start; the one before it is kept.</summary>
    public void TurnLog()
    {
        if (File.Exists(Log))
        {
            File.Move(Log, Log + ".1", overwrite: true);
        }
    }

    public StartupFault Fault(string what) => ServerLog.Fault(what, File.Exists(Log) ? File.ReadAllText(Log) : "", Path);

    public void WritePassword()
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(PasswordFile, options);
        stream.Write(RandomNumberGenerator.GetHexString(48, lowercase: true).Select(digit => (byte)digit).ToArray());
        // On the disk before the data that it opens.
        stream.Flush(flushToDisk: true);
    }

    public string ReadPassword() => File.Exists(PasswordFile)
        ? File.ReadAllText(PasswordFile)
        : throw new StartupFault($"{PasswordFile} is gone, and without it the data in {Data} cannot be opened: " +
            "put it back, or start from nothing with --reset.");

    public void Dispose() => _hold.Dispose();
}
