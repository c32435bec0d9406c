using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Vtp.Domain.Tracker;

/// <summary>SHA-256 (FIPS 180-4) of what a file or a chunk holds. On the wire 64 lowercase hexadecimal digits.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ContentHash
{
    public const int Size = SHA256.HashSizeInBytes;
    public const int Digits = 2 * Size;

    // Some documents of the protocol write it in front, no peer does.
    private const string Prefix = "sha256:";

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

        Span<byte> bytes = stackalloc byte[Size];
        if (text.Length != Digits || Convert.FromHexString(text, bytes, out _, out var written) != OperationStatus.Done || written != Size)
        {
            return false;
        }

        hash = new ContentHash(bytes);
        return true;
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
