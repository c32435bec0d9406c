using System.Globalization;

namespace Vtp.Infrastructure.Profiling;

/// <summary>What Linux knows of this process's threads, by their ids; elsewhere nothing.</summary>
internal static class OsThreads
{
    private const string Folder = "/proc/self/task";
    private const int TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on.

    public static IReadOnlyDictionary<int, TimeSpan>? Cpu() => OperatingSystem.IsLinux()
        ? Read("stat", static stat =>
        {
            // The name before it stands in parentheses, and may hold any.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / (double)TicksPerSecond);
        })
        : null;

    public static IReadOnlyDictionary<int, string> Names() => OperatingSystem.IsLinux() ? Read("comm", static name => name.Trim()) : new Dictionary<int, string>();

    private static Dictionary<int, T> Read<T>(string file, Func<string, T> parse)
    {
        var found = new Dictionary<int, T>();
        foreach (var folder in Directory.EnumerateDirectories(Folder))
        {
            try
            {
                found[int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture)] = parse(File.ReadAllText(Path.Combine(folder, file)));
            }
            catch (IOException)
            {
                continue; // This thread has just ended.
            }
        }

        return found;
    }
}
