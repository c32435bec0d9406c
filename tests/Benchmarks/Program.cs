using BenchmarkDotNet.Running;

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
                return await Drive.RunAsync();
            default:
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
                return 0;
        }
    }
}
