using Vtp.Domain.Rooms.Signaling;

namespace Vtp.Unit.Rooms;

public sealed class RoomKeyTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("صف الجبر ٤ب 😀", true)]
    [InlineData("../x?y=z", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("  ", false)]
    [InlineData("a\0b", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u2028b", false)]
    public void An_id_is_whole_text_that_can_be_shown(string? id, bool isId) => RoomKey.IsId(id).Should().Be(isId);

    [Fact]
    public void An_id_has_128_characters_at_most()
    {
        RoomKey.IsId(new string('x', 128)).Should().BeTrue();
        RoomKey.IsId(new string('x', 129)).Should().BeFalse();
        RoomKey.IsId($"a{'\ud800'}").Should().BeFalse("half of a pair is no character");
    }
}
