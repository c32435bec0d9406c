using System.Collections.Frozen;

namespace Vtp.Domain.Tracker;

/// <summary>What a file is, by the ending of its name: announces do not say it.</summary>
public static class FileCategory
{
    public const string Video = "video";
    public const string Audio = "audio";
    public const string Document = "document";
    public const string Image = "image";
    public const string Software = "software";
    public const string Other = "other";

    public static readonly IReadOnlyList<string> All = [Video, Audio, Document, Image, Software, Other];

    private static readonly FrozenDictionary<string, string> ByEnding = Endings(
        (Video, "mp4 m4v mkv webm mov avi mpg mpeg mts m2ts ts flv wmv ogv 3gp"),
        (Audio, "mp3 m4a aac flac wav ogg oga opus wma aiff mid"),
        (Document, "pdf doc docx odt rtf txt md tex epub mobi xls xlsx ods csv ppt pptx odp key srt vtt"),
        (Image, "jpg jpeg png gif webp avif heic bmp tif tiff svg ico psd"),
        (Software, "exe msi dmg pkg deb rpm apk appimage iso img jar sh bat ps1 zip rar 7z tar gz tgz bz2 xz zst"));

    public static string Of(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot < 0 ? Other : ByEnding.GetValueOrDefault(name[(dot + 1)..], Other);
    }

    private static FrozenDictionary<string, string> Endings(params (string Category, string Endings)[] categories) => categories
        .SelectMany(of => of.Endings.Split(' ').Select(ending => KeyValuePair.Create(ending, of.Category)))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
}
