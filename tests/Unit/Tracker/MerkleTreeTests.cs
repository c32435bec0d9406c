using System.Security.Cryptography;
using Vtp.Domain.Tracker;

namespace Vtp.Unit.Tracker;

public sealed class MerkleTreeTests
{
    [Fact]
    public void The_root_of_one_chunk_is_its_digest()
    {
        var digest = SHA256.HashData("chunk"u8);

        MerkleTree.Root(digest).ToString().Should().Be(Convert.ToHexStringLower(digest));
    }

    [Fact]
    public void Three_chunks_have_the_root_that_is_computed_by_hand()
    {
        byte[] first = SHA256.HashData("1"u8), second = SHA256.HashData("2"u8), third = SHA256.HashData("3"u8);
        byte[] left = SHA256.HashData([.. first, .. second]), right = SHA256.HashData([.. third, .. third]);

        MerkleTree.Root([.. first, .. second, .. third]).ToString().Should().Be(Convert.ToHexStringLower(SHA256.HashData([.. left, .. right])));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(64)]
    [InlineData(1001)]
    public void Any_number_of_chunks_has_the_root_of_the_tree_that_is_built_level_by_level(int count)
    {
        var digests = Enumerable.Range(0, count).Select(number => SHA256.HashData(BitConverter.GetBytes(number))).ToList();

        var level = digests;
        while (level.Count > 1)
        {
            level = [.. level.Chunk(2).Select(pair => SHA256.HashData([.. pair[0], .. pair[^1]]))];
        }

        MerkleTree.Root([.. digests.SelectMany(digest => digest)]).ToString().Should().Be(Convert.ToHexStringLower(level[0]));
    }
}
