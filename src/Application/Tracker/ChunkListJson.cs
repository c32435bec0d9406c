using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vtp.Application.Tracker;

/// <summary>
/// A list that is as long as the file is large, in JSON that was written once and is kept: as objects it would be made
/// anew for every answer.
/// </summary>
[JsonConverter(typeof(Converter<ChunkListJson>))]
public sealed class ChunkListJson(ReadOnlyMemory<byte> utf8) : IWrittenJson
{
    public ReadOnlyMemory<byte> Utf8 { get; } = utf8;
}

/// <summary>The numbers of all chunks. Likewise; of a file with very many it is empty, for <c>is_seeder</c> says the same.</summary>
public sealed class ChunkNumbersJson
{
    /// <summary>Beyond it the lists of fifty peers would be larger than all else together.</summary>
    public const int MostChunks = 4096;

    private static readonly ChunkNumbersJson?[] Known = new ChunkNumbersJson?[MostChunks + 1];
    private static readonly ChunkNumbersJson None = new("[]"u8.ToArray());

    private ChunkNumbersJson(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    public ReadOnlyMemory<byte> Utf8 { get; }

    public static ChunkNumbersJson Of(int count) => count > MostChunks ? None : Known[count] ??= Write(count);

    private static ChunkNumbersJson Write(int count)
    {
        var text = new StringBuilder("[");
        for (var number = 0; number < count; number++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(number == 0 ? "" : ",")}{number}");
        }

        return new ChunkNumbersJson(Encoding.ASCII.GetBytes(text.Append(']').ToString()));
    }
}

/// <summary>Goes into an answer as it is.</summary>
public interface IWrittenJson
{
    ReadOnlyMemory<byte> Utf8 { get; }
}

internal sealed class Converter<T> : JsonConverter<T>
    where T : IWrittenJson
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
}
