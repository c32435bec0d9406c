using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Vtp.Application.Realtime;

namespace Vtp.Infrastructure.Realtime;

/// <summary>A publication on its way between nodes.</summary>
/// <param name="Node">Who sent it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="MayBeAgain">Its sender does not know whether it came through the first time.</param>
internal sealed record Envelope(string Node, EnvelopeKind Kind, bool MayBeAgain, Publication Publication)
{
    private const byte Version = 1;
    private const byte Again = 0x80;

    public ReadOnlyMemory<byte> Write()
    {
        var buffer = new ArrayBufferWriter<byte>(64 + Publication.Data.Length);
        buffer.Write([Version, (byte)((byte)Kind | (MayBeAgain ? Again : 0))]);
        Publication.Id.TryWriteBytes(buffer.GetSpan(16));
        buffer.Advance(16);
        Text(Node);
        Text(Publication.Topic);
        Text(Publication.Name);
        Text(Publication.Except ?? "");
        Bytes(Publication.Data.Span);
        Number(Publication.Attachments.Count);
        foreach (var attachment in Publication.Attachments)
        {
            Bytes(attachment.Span);
        }

        return buffer.WrittenMemory;

        void Number(int value)
        {
            BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(4), value);
            buffer.Advance(4);
        }

        void Bytes(ReadOnlySpan<byte> bytes)
        {
            Number(bytes.Length);
            buffer.Write(bytes);
        }

        void Text(string text)
        {
            Number(Encoding.UTF8.GetByteCount(text));
            Encoding.UTF8.GetBytes(text, buffer);
        }
    }

    /// <returns>Null for what is none: another version's, or not ours.</returns>
    public static Envelope? Read(ReadOnlyMemory<byte> bytes)
    {
        var at = 18;
        if (bytes.Length < at || bytes.Span[0] != Version)
        {
            return null;
        }

        var (kind, id) = (bytes.Span[1], new Guid(bytes.Span.Slice(2, 16)));
        if (!TryText(out var node) || !TryText(out var topic) || !TryText(out var name) || !TryText(out var except) || !TryBytes(out var data)
            || !TryNumber(out var count) || count > bytes.Length)
        {
            return null;
        }

        var attachments = count == 0 ? [] : new ReadOnlyMemory<byte>[count];
        for (var index = 0; index < count; index++)
        {
            if (!TryBytes(out attachments[index]))
            {
                return null;
            }
        }

        return new Envelope(
            node,
            (EnvelopeKind)(kind & ~Again),
            (kind & Again) != 0,
            new Publication(topic, name, data) { Id = id, Except = except.Length == 0 ? null : except, Attachments = attachments });

        bool TryNumber(out int value)
        {
            value = 0;
            if (bytes.Length - at < 4)
            {
                return false;
            }

            value = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[at..]);
            at += 4;
            return value >= 0;
        }

        bool TryBytes(out ReadOnlyMemory<byte> found)
        {
            found = default;
            if (!TryNumber(out var length) || bytes.Length - at < length)
            {
                return false;
            }

            found = bytes.Slice(at, length);
            at += length;
            return true;
        }

        bool TryText(out string text)
        {
            var isThere = TryBytes(out var found);
            text = Encoding.UTF8.GetString(found.Span);
            return isThere;
        }
    }
}

internal enum EnvelopeKind : byte
{
    /// <summary>Told from the log, and kept.</summary>
    Kept = 1,

    /// <summary>Told at once, beside the log; in it only where it is too large for beside it.</summary>
    Passing = 2,

    /// <summary>What nodes say of who is in which topic.</summary>
    Presence = 3,
}
