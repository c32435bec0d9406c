namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>Finds the one sentence for the operator in what PostgreSQL's programs print.</summary>
internal static class ServerLog
{
    private const string NoSpace = "No space left on device";

    private static readonly string[] Marks = ["PANIC:", "FATAL:", "error:"];

    public static StartupFault Fault(string what, string output, string path)
    {
        if (output.Contains(NoSpace, StringComparison.Ordinal))
        {
            return DiskFull(path);
        }

        var lines = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // "FATAL: the reason" comes before "LOG: database system is shut down".
        var line = lines.LastOrDefault(line => Array.Exists(Marks, mark => line.Contains(mark, StringComparison.Ordinal)))
            ?? lines.LastOrDefault("it printed no reason");
        return new StartupFault($"{what}: {AfterMark(line)}");
    }

    public static StartupFault DiskFull(string path, Exception? inner = null) =>
        new($"The disk that holds {path} is full: make room on it and start VTP again.", inner);

    public static bool IsDiskFull(IOException failure) => failure.Message.Contains(NoSpace, StringComparison.Ordinal);

    private static string AfterMark(string line)
    {
        var start = Marks.Max(mark => line.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at ? at + mark.Length : 0);
        return line[start..].Trim();
    }
}
