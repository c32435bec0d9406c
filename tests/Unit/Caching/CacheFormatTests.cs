using System.Text;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Caching;

namespace Vtp.Unit.Caching;

public sealed class CacheFormatTests
{
    /// <summary>Bytes that version 1 wrote: it must go on reading them, or whoever upgrades finds an empty cache.</summary>
    private const string Small =
        "56430100B222387902B924FE888CA97C9B0100006820AE7C9B010000030101010101010101020202020202020203030303030303037B224E616D6522"
        + "3A225C753030433472676572222C22436F6C6F7572223A312C2254657874223A22787878222C224672616D6573223A5B7B225769647468223A312E35"
        + "2C225469746C65223A6E756C6C7D5D7D";

    private const string Large =
        "56430101B222387902B924FE888CA97C9B0100006820AE7C9B010000030101010101010101020202020202020203030303030303038303060080AAAA"
        + "AAEAFF74E7B380812A80D945AE0A60473B29801D96830298809902A89A02A8A902288082C2015CFC4A1329EEB0015C80C365C7E6A2807156A5CC9C1F"
        + "C920981452CD604DB0D20A18ADB5DE3600200361CD2ECA0F3E3A767F9717ACA785607D0902FE6A08E31A03";

    private static readonly byte[][] Marks = [.. new byte[] { 1, 2, 3 }.Select(number => Enumerable.Repeat(number, CacheFormat.MarkLength).ToArray())];
    private static readonly DateTimeOffset Created = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public enum Colour
    {
        Red,
        Blue,
    }

    [Theory]
    [InlineData(Small, 3)]
    [InlineData(Large, 3000)]
    public void What_version_1_wrote_is_read_and_still_written(string bytes, int length)
    {
        var value = (Result<Picture>)new Picture("Ärger", Colour.Blue, new string('x', length), [new Frame(1.5m, null)]);
        if (bytes == Small)
        {
            // How well Brotli packs is its own affair.
            Convert.ToHexString(Write(value)).Should().Be(bytes);
        }

        CacheFormat.TryRead<Result<Picture>>(Convert.FromHexString(bytes), Marks, out var entry).Should().BeTrue();

        entry.CreatedAt.Should().Be(Created);
        entry.ExpiresAt.Should().Be(Created.AddMinutes(5));
        entry.Value.TryGet(out var picture, out _).Should().BeTrue();
        picture.Should().BeEquivalentTo(new Picture("Ärger", Colour.Blue, new string('x', length), [new Frame(1.5m, null)]));
    }

    [Fact]
    public void Whatever_else_lies_there_is_no_entry_and_no_fault()
    {
        var good = Write(new Frame(1, "two"));
        CacheFormat.TryRead<Frame>(good, Marks, out _).Should().BeTrue();
        CacheFormat.TryRead<Frame>(good, [Marks[0], Marks[1], Marks[0]], out _).Should().BeFalse("a name was removed");
        CacheFormat.TryRead<Frame>(good, Marks[..2], out _).Should().BeFalse("it has other names");
        CacheFormat.TryRead<Picture>(good, Marks, out _).Should().BeFalse("it is of another type");
        CacheFormat.TryRead<Frame>([.. good[..2], 2, .. good[3..]], Marks, out _).Should().BeFalse("it is of another version");
        CacheFormat.TryRead<Frame>([.. good[..3], 2, .. good[4..]], Marks, out _).Should().BeFalse("it has flags of another version");
        CacheFormat.TryRead<Frame>([], Marks, out _).Should().BeFalse();
        CacheFormat.TryRead<Frame>("nonsense"u8, Marks, out _).Should().BeFalse();

        for (var length = 0; length < good.Length; length++)
        {
            CacheFormat.TryRead<Frame>(good.AsSpan(0, length), Marks, out _).Should().BeFalse($"only {length} bytes are there");
        }

        var random = new Random(1);
        foreach (var bytes in new[] { good, Write(new Frame(1, new string('y', 5000))) })
        {
            for (var turn = 0; turn < 5000; turn++)
            {
                var broken = bytes.ToArray();
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
                CacheFormat.TryRead<Frame>(broken, Marks, out _);
            }
        }
    }

    [Fact]
    public void What_unpacks_to_more_than_an_answer_may_be_is_no_entry()
    {
        CacheFormat.TryRead<Frame>(Write(new Frame(1, new string('z', CacheFormat.MaximumBody))), Marks, out _).Should().BeFalse();
    }

    [Fact]
    public void A_thousand_bytes_lie_there_as_they_are_and_more_are_packed()
    {
        Write(new Frame(1, new string('x', 900))).Length.Should().BeGreaterThan(900);
        Write(new Frame(1, new string('x', 1100))).Length.Should().BeLessThan(200);
        Encoding.UTF8.GetString(Write(new Frame(1, "seen"))).Should().Contain("seen");
    }

    [Fact]
    public void A_type_that_changes_anywhere_has_another_shape()
    {
        ulong[] shapes =
        [
            CacheShape.Of(typeof(Frame)), CacheShape.Of(typeof(Picture)), CacheShape.Of(typeof(Frame[])), CacheShape.Of(typeof(Nested<Frame>)),
            CacheShape.Of(typeof(Nested<Other.Frame>)), CacheShape.Of(typeof(Other.Frame)), CacheShape.Of(typeof(Colour)), CacheShape.Of(typeof(Other.Colour)),
        ];
        shapes.Should().OnlyHaveUniqueItems();
    }

    private static byte[] Write<T>(T value) =>
        CacheFormat.Write(Marks, CacheShape<T>.Value, Created, Created.AddMinutes(5), CacheFormat.Serialize(value));

    public sealed record Frame(decimal Width, string? Title);

    public sealed record Picture(string Name, Colour Colour, string Text, IReadOnlyList<Frame> Frames);

    public sealed record Nested<T>(T Inner);

    private static class Other
    {
        public enum Colour
        {
            Red,
            Green,
        }

        public sealed record Frame(decimal Width, string? Title, int Height);
    }
}
