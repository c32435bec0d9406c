using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Domain.Tracker;

/// <summary>SHA-256 (FIPS 180-4) of what a file or a chunk holds. On the wire 64 lowercase hexadecimal digits.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ContentHash
{
    public const int Size = SHA256.HashSizeInBytes;
    public const int Digits = 2 * Size;

    // Some documents of the protocol write it in front, no peer does.
    private const string Prefix = "sha256:";

    private static ReadOnlySpan<byte> PrefixUtf8 => "sha256:"u8;

    private readonly UInt128 _high;
    private readonly UInt128 _low;

    public ContentHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A SHA-256 has {Size} bytes.", nameof(bytes));
        }

        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[(Size / 2)..]);
    }

    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> bytes = stackalloc byte[Size];
        SHA256.HashData(content, bytes);
        return new ContentHash(bytes);
    }

    /// <summary>Digits of either case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ContentHash hash)
    {
        hash = default;
        if (text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            text = text[Prefix.Length..];
        }

        Span<byte> utf8 = stackalloc byte[Digits];
        return text.Length == Digits && Ascii.FromUtf16(text, utf8, out _) == OperationStatus.Done && TryParse(utf8, out hash);
    }

    /// <param name="utf8">Digits of either case.</param>
    /// <param name="hash">What they say.</param>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out ContentHash hash)
    {
        hash = default;
        if (utf8.StartsWith(PrefixUtf8))
        {
            utf8 = utf8[Prefix.Length..];
        }

        Span<byte> bytes = stackalloc byte[Size];
        if (utf8.Length != Digits || Convert.FromHexString(utf8, bytes, out _, out var written) != OperationStatus.Done || written != Size)
        {
            return false;
        }

        hash = new ContentHash(bytes);
        return true;
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[(Size / 2)..], _low);
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
