namespace Vtp.Unit.Architecture;

/// <summary>The repository that these tests were built from.</summary>
internal static class Source
{
    public static string Folder(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Vtp.sln")))
            {
                return Path.Combine(folder.FullName, path);
            }
        }

        throw new DirectoryNotFoundException("Vtp.sln is in no folder above the tests.");
    }

    public static IReadOnlyList<(string Path, string Text)> Files(string folder, string pattern = "*.cs") =>
        [.. Directory.EnumerateFiles(Folder(folder), pattern, SearchOption.AllDirectories).Select(file => (file, File.ReadAllText(file)))];
}
