using System.Globalization;
using System.Text.RegularExpressions;

namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>An installed PostgreSQL server: where its programs are and its major version.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    private const int OldestMajor = 13;

    public string this[string program] => Path.Combine(Folder, program);

    /// <summary>The newest that is installed, or the one that can read the data when there is data already.</summary>
    public static async Task<PostgresBinaries> FindAsync(string? binFolder, DataDirectory data, CancellationToken ct)
    {
        var made = data.ReadMajor();
        var found = new List<PostgresBinaries>();
        foreach (var folder in binFolder is null ? UsualFolders() : [binFolder])
        {
            if (await MajorOfAsync(folder, ct) is >= OldestMajor and var major && !found.Exists(server => server.Major == major))
            {
                found.Add(new PostgresBinaries(folder, major));
            }
        }

        if (found.MaxBy(server => server.Major) is not { } newest)
        {
            throw new StartupFault(
                $"PostgreSQL {OldestMajor} or newer is not installed{(binFolder is null ? "" : $" in {binFolder}")}: install it " +
                "(Debian and Ubuntu: sudo apt-get install -y postgresql), or set ConnectionStrings__Vtp to a server that you run.");
        }

        return made is null
            ? newest
            : found.Find(server => server.Major == made) ?? throw new StartupFault(
                $"The data in {data.Path} was made by PostgreSQL {made}, but this machine has " +
                $"{string.Join(" and ", found.Select(server => $"{server.Major} ({server.Folder})"))}: " +
                $"install PostgreSQL {made}, or start from nothing with --reset.");
    }

    private static IEnumerable<string> UsualFolders() =>
    [
        .. BinsUnder("/usr/lib/postgresql", "*"),
        .. BinsUnder("/usr", "pgsql-*"),
        .. BinsUnder("/opt/homebrew/opt", "postgresql@*"),
        .. BinsUnder("/usr/local/opt", "postgresql@*"),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
    ];

    private static IEnumerable<string> BinsUnder(string parent, string pattern) =>
        Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, pattern).Select(folder => Path.Combine(folder, "bin"))
            : [];

    private static async Task<int?> MajorOfAsync(string folder, CancellationToken ct)
    {
        if (!File.Exists(Path.Combine(folder, "initdb")) || !File.Exists(Path.Combine(folder, "postgres")))
        {
            return null;
        }

        var (_, output) = await Command.RunAsync([Path.Combine(folder, "postgres"), "--version"], ct);
        var version = VersionPattern().Match(output);
        return version.Success ? int.Parse(version.Groups["major"].Value, CultureInfo.InvariantCulture) : null;
    }

    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    [GeneratedRegex(@"\(PostgreSQL\) (?<major>[0-9]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionPattern();
}
