using System.Diagnostics;
using System.Security.Cryptography;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>A program of PostgreSQL's that cannot outlive VTP, with a private folder that lives as long as it does.</summary>
internal sealed class Supervised : IAsyncDisposable
{
    private static readonly string Script = ReadScript();

    // A session of its own keeps Ctrl-C away from the server: VTP hears it first, finishes its work, then stops the server.
    private static readonly string[] OwnSession = OperatingSystem.IsLinux() ? ["setsid"] : [];

    private readonly Process _process;
    private readonly StreamWriter _lifeline;

    private Supervised(Process process)
    {
        _process = process;
        _lifeline = process.StandardInput;
        Exited = process.WaitForExitAsync();
    }

    public Task Exited { get; }

    public bool Succeeded => _process.ExitCode == 0;

    // Short, since the path of a Unix-domain socket ends at about 100 characters, and not to be guessed by others in /tmp.
    public static async Task<string> MakeRunFolderAsync(CancellationToken ct)
    {
        var run = $"/tmp/vtp-{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        await ServerUser.MakePrivateFolderAsync(run, ct);
        return run;
    }

    public static Supervised Start(string run, string log, params ReadOnlySpan<string> words) => new(Command.Start(
        [.. OwnSession, "/bin/sh", "-c", Script, "vtp-supervise", run, log, .. ServerUser.Command(words)],
        info => info.RedirectStandardInput = true));

    public async ValueTask DisposeAsync()
    {
        _lifeline.Close();
        await Exited;
        _process.Dispose();
    }

    private static string ReadScript()
    {
        using var stream = typeof(Supervised).Assembly.GetManifestResourceStream("embedded/supervise.sh")
            ?? throw new InvalidOperationException("supervise.sh is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
