using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Vtp.Application.Common;

/// <summary>The last row of a page of what is listed by time, newest first: its time, in ticks, and its id.</summary>
internal static class TimeCursor
{
    private const int Bytes = sizeof(long) + 16;

    public static string After(DateTimeOffset timestamp, Guid id)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, timestamp.UtcTicks);
        id.TryWriteBytes(bytes[sizeof(long)..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryRead(string text, out (DateTimeOffset Timestamp, Guid Id) last)
    {
        last = default;
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length != Base64Url.GetEncodedLength(Bytes) || !Ascii.IsValid(text) || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, bytes, out var length) || length != Bytes)
        {
            return false;
        }

        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        last = (new DateTimeOffset(ticks, TimeSpan.Zero), new Guid(bytes[sizeof(long)..], bigEndian: true));
        return true;
    }
}
