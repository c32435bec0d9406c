using System.Globalization;
using System.Security.Cryptography;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Unit.Tracker;

public sealed class FileManifestTests
{
    private static readonly string Hash = Digest("the whole file");

    [Fact]
    public void A_manifest_keeps_every_chunk_and_knows_the_root()
    {
        var manifest = Accepted(Announce(600_000));

        (manifest.Chunks.Count, manifest.Size, manifest.ChunkSize).Should().Be((3, 600_000, 262_144));
        ChunkCollection.SizeOf(2, 3, manifest.Size, manifest.ChunkSize).Should().Be(75_712);
        Convert.ToHexStringLower(manifest.Chunks.Bytes.Span[32..64]).Should().Be(Digest("1"));
        RootOf(manifest).Should().Be(MerkleTree.Root(manifest.Chunks.Bytes.Span));
    }

    [Fact]
    public void An_empty_file_has_no_chunks_and_no_root()
    {
        var manifest = Accepted(FileManifest.Of(Digest(""), "empty.txt", 0, 262_144, new(), null));

        (manifest.Chunks.Count, RootOf(manifest)).Should().Be((0, null));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555")]
    [InlineData("z3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("../../../../../../../../../../../../../../../../../../etc/passwd00")]
    public void What_is_no_hash_is_refused(string? hash) =>
        Refused(FileManifest.Of(hash, "a.bin", 0, 0, new(), null)).Should().Be(("file.hash", "file.hash_malformed"));

    [Fact]
    public void Digits_of_either_case_and_a_prefix_are_one_hash()
    {
        ContentHash.TryParse(Hash.ToUpperInvariant(), out var upper).Should().BeTrue();
        ContentHash.TryParse($"sha256:{Hash}", out var prefixed).Should().BeTrue();

        (upper.ToString(), prefixed).Should().Be((Hash, upper));
    }

    [Theory]
    [InlineData(-1, 262_144, "file.size", "file.size_refused")]
    [InlineData(long.MinValue, 262_144, "file.size", "file.size_refused")]
    [InlineData(long.MaxValue, 262_144, "file.size", "file.size_refused")]
    [InlineData(1, -1, "file.chunk_size", "file.chunk_size_refused")]
    [InlineData(1, int.MaxValue, "file.chunk_size", "file.chunk_size_refused")]
    [InlineData(1_000_000, 1, "file.chunks", "file.too_many_chunks")]
    [InlineData(1L << 43, 262_144, "file.chunks", "file.too_many_chunks")]
    [InlineData(600_000, 262_144, "file.chunks", "file.chunks_do_not_add_up")]
    public void Sizes_that_make_no_sense_are_refused(long size, int chunkSize, string field, string code) =>
        Refused(FileManifest.Of(Hash, "a.bin", size, chunkSize, new(), null)).Should().Be((field, code));

    [Fact]
    public void Chunks_that_do_not_add_up_are_refused_by_the_one_at_fault()
    {
        var chunks = Chunks(600_000);

        Refused(Announce(600_000, [.. chunks[..2], chunks[2] with { Size = 75_713 }])).Should().Be(("file.chunks[2].size", "file.chunks_do_not_add_up"));
        Refused(Announce(600_000, [chunks[0] with { Size = 1 }, .. chunks[1..]])).Should().Be(("file.chunks[0].size", "file.chunks_do_not_add_up"));
        Refused(Announce(600_000, [chunks[1], chunks[0], chunks[2]])).Should().Be(("file.chunks[0].index", "file.chunks_do_not_add_up"));
        Refused(Announce(600_000, [chunks[0], chunks[0], chunks[2]])).Should().Be(("file.chunks[1].index", "file.chunks_do_not_add_up"));
        Refused(Announce(600_000, [.. chunks, chunks[2] with { Index = 3 }])).Should().Be(("file.chunks", "file.chunks_do_not_add_up"));
        Refused(Announce(600_000, [chunks[0], chunks[1] with { Hash = null }, chunks[2]])).Should().Be(("file.chunks[1].hash", "file.hash_malformed"));
    }

    [Fact]
    public void A_root_must_be_that_of_the_chunks()
    {
        var root = RootOf(Accepted(Announce(600_000)))!.Value;

        RootOf(Accepted(Announce(600_000, merkleRoot: root.ToString()))).Should().Be(root);
        Refused(Accepted(Announce(600_000, merkleRoot: Digest("another"))).Root()).Should().Be(("file.merkle_root", "file.merkle_root_differs"));
        Refused(Accepted(Announce(600_000, merkleRoot: Digest("another"))).Root(known: root)).Should().Be(("file.merkle_root", "file.merkle_root_differs"));
        Refused(Announce(600_000, merkleRoot: "root")).Should().Be(("file.merkle_root", "file.hash_malformed"));
    }

    [Fact]
    public void The_same_bytes_in_other_pieces_are_another_content()
    {
        var manifest = Accepted(Announce(600_000));

        Accepted(Announce(600_000, [.. Chunks(600_000)])).Fingerprint.Should().Be(manifest.Fingerprint);
        Accepted(Announce(600_000, [Chunks(600_000)[0] with { Hash = HashOf("poison") }, .. Chunks(600_000)[1..]])).Fingerprint.Should().NotBe(manifest.Fingerprint);
    }

    [Theory]
    [InlineData("lesson 1 & 2 + more; <b>.mp4")]
    [InlineData("урок.mp4")]
    [InlineData("...hidden")]
    public void A_name_may_hold_whatever_stays_in_its_folder(string name) => FileName.Fault(name).Should().BeNull();

    [Theory]
    [InlineData(null)]
    [InlineData("  ")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("C:\\autoexec.bat")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\u009bb")]
    [InlineData("gpj.\u202Eexe")]
    [InlineData("a\uD800b")]
    public void A_name_that_leads_elsewhere_or_hides_what_it_is_is_refused(string? name) => FileName.Fault(name).Should().NotBeNull();

    [Fact]
    public void A_name_is_measured_in_bytes()
    {
        FileName.Fault(new string('я', 127)).Should().BeNull();
        FileName.Fault(new string('я', 128)).Should().NotBeNull();
    }

    [Theory]
    [InlineData("lesson.MP4", "video")]
    [InlineData("song.flac", "audio")]
    [InlineData("notes.pdf", "document")]
    [InlineData("board.png", "image")]
    [InlineData("tools.tar.gz", "software")]
    [InlineData("README", "other")]
    [InlineData("data.bin", "other")]
    public void A_category_comes_from_the_ending(string name, string category) => FileCategory.Of(name).Should().Be(category);

    private static Result<FileManifest> Announce(long size, IReadOnlyList<AnnouncedChunk>? chunks = null, string? merkleRoot = null)
    {
        var collection = new ChunkCollection();
        try
        {
            foreach (var chunk in chunks ?? Chunks(size))
            {
                collection.Add(chunk);
            }
        }
        catch (RefusedException refused)
        {
            return refused.Refusal;
        }

        return FileManifest.Of(Hash, "lesson.mp4", size, 262_144, collection, merkleRoot);
    }

    private static ContentHash? RootOf(FileManifest manifest)
    {
        manifest.Root().TryGet(out var root, out _).Should().BeTrue();
        return root!.Hash;
    }

    private static AnnouncedChunk[] Chunks(long size)
    {
        const int ChunkSize = 262_144;
        var count = (int)((size + ChunkSize - 1) / ChunkSize);
        return [.. Enumerable.Range(0, count).Select(index => new AnnouncedChunk(
            index, HashOf(index.ToString(CultureInfo.InvariantCulture)), Math.Min(ChunkSize, size - ((long)index * ChunkSize))))];
    }

    private static FileManifest Accepted(Result<FileManifest> result)
    {
        result.TryGet(out var manifest, out var refusal).Should().BeTrue(refusal?.Detail);
        return manifest!;
    }

    private static (string Field, string Code) Refused<T>(Result<T> result)
        where T : notnull
    {
        result.TryGet(out _, out var refusal).Should().BeFalse();
        return (refusal!.Errors!.Keys.Single(), refusal.Code);
    }

    private static ContentHash HashOf(string text) => ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(text));

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
