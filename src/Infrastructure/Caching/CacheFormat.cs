using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// What lies in Redis. Version 1: <c>VC</c>, the version, flags (1: the body is Brotli), the shape of the answer's type
/// (8 bytes), when it was made and when it expires (Unix milliseconds, 8 bytes each), how many marks (1), each of them
/// (8), and the answer as JSON. Numbers are little-endian. Whatever else lies there is no entry.
/// </summary>
internal static class CacheFormat
{
    public const int MarkLength = 8;
    public const int MaximumBody = 1 << 20;

    private const byte Version = 1;
    private const byte IsBrotli = 1;
    private const int CompressFrom = 1024;
    private const int HeaderLength = 29;

    private static readonly JsonSerializerOptions Json = new() { Converters = { new ResultConverterFactory() } };

    public static byte[] Serialize<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Json);

    /// <param name="marks">Of the entry's names, as they were before the answer's source was read.</param>
    /// <param name="shape">See <see cref="CacheShape"/>.</param>
    /// <param name="createdAt">By the wall clock.</param>
    /// <param name="expiresAt">Likewise.</param>
    /// <param name="body">The answer, serialized.</param>
    public static byte[] Write(byte[][] marks, ulong shape, DateTimeOffset createdAt, DateTimeOffset expiresAt, byte[] body)
    {
        var packed = body.Length > CompressFrom ? Compress(body) : body;
        var isPacked = packed.Length < body.Length;
        body = isPacked ? packed : body;
        var bytes = new byte[HeaderLength + (marks.Length * MarkLength) + body.Length];
        var header = bytes.AsSpan();
        (header[0], header[1], header[2], header[3]) = ((byte)'V', (byte)'C', Version, isPacked ? IsBrotli : (byte)0);
        BinaryPrimitives.WriteUInt64LittleEndian(header[4..], shape);
        BinaryPrimitives.WriteInt64LittleEndian(header[12..], createdAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64LittleEndian(header[20..], expiresAt.ToUnixTimeMilliseconds());
        header[28] = checked((byte)marks.Length);
        for (var index = 0; index < marks.Length; index++)
        {
            marks[index].CopyTo(header[(HeaderLength + (index * MarkLength))..]);
        }

        body.CopyTo(header[(HeaderLength + (marks.Length * MarkLength))..]);
        return bytes;
    }

    /// <returns>False for bytes of another version, of another type, of an entry that was removed since, and for nonsense.</returns>
    public static bool TryRead<T>(ReadOnlySpan<byte> bytes, byte[][] marks, out SharedEntry<T> entry)
    {
        entry = default;
        var bodyAt = HeaderLength + (marks.Length * MarkLength);
        if (bytes.Length < bodyAt || bytes[0] != 'V' || bytes[1] != 'C' || bytes[2] != Version || (bytes[3] & ~IsBrotli) != 0
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]) != CacheShape<T>.Value || bytes[28] != marks.Length)
        {
            return false;
        }

        for (var index = 0; index < marks.Length; index++)
        {
            if (!bytes.Slice(HeaderLength + (index * MarkLength), MarkLength).SequenceEqual(marks[index]))
            {
                return false;
            }
        }

        try
        {
            var body = bytes[bodyAt..];
            var json = (bytes[3] & IsBrotli) != 0 ? Decompress(body) : body;
            if (json.Length is 0 or > MaximumBody || JsonSerializer.Deserialize<T>(json, Json) is not { } value)
            {
                return false;
            }

            entry = new SharedEntry<T>(
                value,
                DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(bytes[12..])),
                DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(bytes[20..])),
                json.Length);
            return true;
        }
        catch (Exception nonsense) when (nonsense is JsonException or NotSupportedException or InvalidCastException or ArgumentException)
        {
            return false;
        }
    }

    private static byte[] Compress(byte[] body)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        return BrotliEncoder.TryCompress(body, packed, out var length, quality: 1, window: 18) ? packed[..length] : body;
    }

    /// <returns>Nothing for what is no Brotli, or would be larger than an answer may be.</returns>
    private static ReadOnlySpan<byte> Decompress(ReadOnlySpan<byte> packed)
    {
        var body = new byte[MaximumBody];
        return BrotliDecoder.TryDecompress(packed, body, out var length) ? body.AsSpan(0, length) : [];
    }
}

internal readonly record struct SharedEntry<T>(T Value, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, int Length);

/// <summary>Of a <see cref="Result{T}"/> its answer is kept; refusals do not come here.</summary>
internal sealed class ResultConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Result<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(ResultConverter<>).MakeGenericType(typeToConvert))!;

    private sealed class ResultConverter<TResult> : JsonConverter<TResult>
        where TResult : IResult<TResult>
    {
        public override TResult? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize(ref reader, TResult.AnswerType, options) is { } answer ? TResult.Answered(answer) : default;

        public override void Write(Utf8JsonWriter writer, TResult value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.Answer, TResult.AnswerType, options);
    }
}
