using System.Security.Cryptography;

namespace Vtp.Domain.Tracker;

/// <summary>
/// The tree over a file's chunks, as peers build it: leaves are the chunks' digests as they are, a parent is the SHA-256 of
/// its two children, and a level of odd length repeats its last node. With one chunk its digest is the root.
/// </summary>
public static class MerkleTree
{
    /// <param name="digests">Of all chunks in order, 32 bytes each; at least one.</param>
    public static ContentHash Root(ReadOnlySpan<byte> digests)
    {
        if (digests.Length == 0 || digests.Length % ContentHash.Size != 0)
        {
            throw new ArgumentException("One digest of 32 bytes or more.", nameof(digests));
        }

        var level = digests.ToArray();
        Span<byte> pair = stackalloc byte[2 * ContentHash.Size];
        for (var count = digests.Length / ContentHash.Size; count > 1; count = (count + 1) / 2)
        {
            for (var node = 0; node < count; node += 2)
            {
                Node(node).CopyTo(pair);
                Node(Math.Min(node + 1, count - 1)).CopyTo(pair[ContentHash.Size..]);
                SHA256.HashData(pair, Node(node / 2));
            }
        }

        return new ContentHash(Node(0));

        Span<byte> Node(int index) => level.AsSpan(index * ContentHash.Size, ContentHash.Size);
    }
}
