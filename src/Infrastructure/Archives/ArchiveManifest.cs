using System.Text.Json;
using System.Text.Json.Serialization;
using Vtp.Application.Tenancy.Archives;

namespace Vtp.Infrastructure.Archives;

/// <summary>What an archive says of itself, in manifest.json.</summary>
/// <param name="FormatVersion">1.</param>
/// <param name="Id">Of the organization or project; likewise the name.</param>
/// <param name="Schema">The newest migration of the server that made it.</param>
internal sealed record ArchiveManifest(
    int FormatVersion, ArchiveKind Kind, Guid Id, string Name, DateTimeOffset ExportedAt, string Schema, IReadOnlyList<ArchiveFileFacts> Files)
{
    public const string File = "manifest.json";
    public const int CurrentVersion = 1;
    public const int MaximumBytes = 64 * 1024;

    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };
}

/// <param name="Bytes">Uncompressed.</param>
/// <param name="Sha256">Of those bytes, in lower-case hexadecimal.</param>
internal sealed record ArchiveFileFacts(string Name, long Rows, long Bytes, string Sha256);

/// <summary>Carries the refusal of a bad archive out of the depths of reading one.</summary>
internal sealed class ArchiveFault(string file, string sentence, Exception? inner = null) : Exception(sentence, inner)
{
    public string File { get; } = file;
}
