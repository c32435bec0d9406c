using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Vtp.Integration.Startup;

public sealed class ScriptTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task Build_run_explains_itself_and_does_nothing_else(string option)
    {
        var (exit, output) = await RunAsync("build/run", option);

        exit.Should().Be(0, output);
        output.Should().StartWith("build/run [--port N] [--internal-port N] [--demo] [--reset]").And.Contain("ConnectionStrings__Vtp");
    }

    [Fact]
    public async Task Every_script_can_be_run_and_read_by_bash()
    {
        var scripts = Directory.GetFiles(Path.Combine(Clone(), "build")).Append(Path.Combine(Clone(), ".ci/run"))
            .Where(file => File.ReadLines(file).First() is "#!/usr/bin/env bash" or "# shellcheck shell=bash").ToList();

        scripts.Select(Path.GetFileName).Should().Contain(["run", "test", "lib.sh"]);
        foreach (var script in scripts)
        {
            (await RunAsync("bash", "-n", script)).Should().Be((0, ""));
            (Path.HasExtension(script) || File.GetUnixFileMode(script).HasFlag(UnixFileMode.UserExecute)).Should().BeTrue(script);
        }
    }

    private static string Clone([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../.."));

    private static async Task<(int Exit, string Output)> RunAsync(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program.Contains('/') ? Path.Combine(Clone(), program) : program, arguments)
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
