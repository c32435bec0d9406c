using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Vtp.Benchmarks;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["floor", var connectionString]:
                await Floor.RunAsync(connectionString);
                return 0;
            case ["drive"]:
                return await Drive.RunAsync(Drive.MeasureAsync, AuditDrive.RunAsync);
            case ["audit"]:
                return await Drive.RunAsync(AuditDrive.RunAsync);
            case ["jobs"]:
                await Jobs.RunAsync(CancellationToken.None);
                return 0;
            case ["webhooks"]:
                return await Drive.RunAsync(Webhooks.RunAsync);
            case ["live-server"]:
                await LiveServer.RunAsync();
                return 0;
            case ["live"]:
                return await Drive.RunAsync(Live.RunAsync);
            case ["tracker-floor", var connectionString]:
                await TrackerFloor.RunAsync(connectionString);
                return 0;
            case ["tracker"]:
                return await Drive.RunAsync(TrackerDrive.RunAsync);
            case [RelayDrive.FloorName]:
                await RelayDrive.RunFloorAsync();
                return 0;
            case ["relay"]:
                return await Drive.RunAsync(RelayDrive.RunAsync);
            case ["telemetry"]:
                return await Drive.RunAsync(TelemetryDrive.RunAsync);
            default:
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, Micro());
                return 0;
        }
    }

    // In this process: the project that BenchmarkDotNet would generate knows nothing of our output folder and lock files.
    private static ManualConfig Micro() => ManualConfig.Create(DefaultConfig.Instance)
        .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
        .AddDiagnoser(MemoryDiagnoser.Default);
}
