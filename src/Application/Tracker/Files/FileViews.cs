namespace Vtp.Application.Tracker.Files;

/// <param name="Hash">SHA-256, 64 hexadecimal digits.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Seeders">Who has all of it and is online.</param>
/// <param name="Leechers">Who has part of it and is online; peers announce whole files only.</param>
public sealed record FileItem(string Hash, string Name, long Size, int Seeders, int Leechers, DateTimeOffset AddedAt)
{
    internal static FileItem Of(ListedFile file) => new(file.Hash.ToString(), file.Name, file.Size, file.Seeders, Leechers: 0, file.AddedAt);

    internal static IReadOnlyList<FileItem> Of(Listing<ListedFile> files) => [.. files.Items.Select(Of)];
}

/// <param name="Id">The hash again.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ChunkSize">Bytes of each chunk but the last.</param>
/// <param name="AddedBy">The peer that announced it first.</param>
public sealed record FileFull(
    string Id, string Hash, string Name, long Size, int ChunkSize, ChunkListJson Chunks, string Category, DateTimeOffset AddedAt, string AddedBy)
{
    internal static FileFull Of(ListedFile file, ChunkListJson chunks) =>
        new(file.Hash.ToString(), file.Hash.ToString(), file.Name, file.Size, file.ChunkSize, chunks, file.Category, file.AddedAt, file.AddedBy);
}

