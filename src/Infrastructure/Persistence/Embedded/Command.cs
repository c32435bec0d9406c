using System.ComponentModel;
using System.Diagnostics;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>A program and its arguments, without a shell between, and without VTP's own environment.</summary>
internal static class Command
{
    public static async Task<(bool Succeeded, string Output)> RunAsync(IEnumerable<string> words, CancellationToken ct)
    {
        using var process = Start(words, info => info.RedirectStandardOutput = info.RedirectStandardError = true);
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode == 0, await output + await errors);
    }

    public static Process Start(IEnumerable<string> words, Action<ProcessStartInfo> configure)
    {
        var line = words.ToArray();

        // From the root folder, since the server's user may not enter the one that VTP was started in.
        var info = new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = "/", UseShellExecute = false };

        // VTP's secrets are no business of its children, PGDATA and the like would mislead them,
        // and what they say is read by this code, so it has to be in English.
        info.Environment.Clear();
        info.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        info.Environment["LC_ALL"] = "C";
        configure(info);

        try
        {
            return Process.Start(info) ?? throw new InvalidOperationException($"{line[0]} did not start.");
        }
        catch (Win32Exception missing)
        {
            throw new StartupFault($"VTP cannot run the program {line[0]}: {missing.Message}.", missing);
        }
    }
}
