namespace Vtp.Domain.Common;

/// <summary>UUID version 7 (RFC 9562), with the fraction of the millisecond in it, so that ids sort as things happened.</summary>
public static class Uuid
{
    public static Guid NewVersion7(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);

        // Section 6.2, method 3: the twelve bits beside the version.
        var fraction = now.Ticks % TimeSpan.TicksPerMillisecond * 4096 / TimeSpan.TicksPerMillisecond;
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        return new Guid(bytes, bigEndian: true);
    }
}
