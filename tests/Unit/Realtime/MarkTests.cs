using FsCheck;
using FsCheck.Fluent;
using Vtp.Application.Realtime;
using Vtp.Infrastructure.Realtime;

namespace Vtp.Unit.Realtime;

public sealed class MarkTests
{
    private static readonly LogPosition Nothing = new("e", 0);

    [Fact]
    public void A_mark_is_read_as_it_was_written()
    {
        foreach (var mark in new[] { new Mark(new("-", 0), new("a1b2", 7)), new Mark(new("e", 123456789), new("m", 0), 3, 99) })
        {
            Mark.Parse(mark.ToString()).Should().Be(mark);
        }

        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
        {
            _ = Mark.Parse(text);
            _ = Mark.Parse($"a:1,{text}");
            _ = Mark.Parse($"a:1,b:2~{text}");
        }).QuickCheckThrowOnFailure();
    }

    // A topic joined as the third, from 50 on, when the log was at 100.
    [Theory]
    [InlineData(90, 0, 0, 50)]
    [InlineData(100, 0, 0, 50)]
    [InlineData(100, 3, 70, 70)]
    [InlineData(100, 4, 20, 100)]
    [InlineData(101, 0, 0, 101)]
    [InlineData(100, 2, 60, 50)]
    public void Who_was_interrupted_while_catching_up_goes_on_there(long told, int join, long caught, long expected) =>
        new JoinedTopic(new TopicInterest("topic"), 3, new("e", 50), new("e", 100)).From(new Mark(Nothing, new("e", told), join, caught)).Since.Offset.Should().Be(expected);

    [Theory]
    [InlineData(90, 100)]
    [InlineData(130, 130)]
    public void Who_began_with_what_is_new_misses_nothing_and_is_told_nothing_older(long told, long expected) =>
        new JoinedTopic(new TopicInterest("topic"), 1, new("e", 100), new("e", 100)).From(new Mark(Nothing, new("e", told))).Since.Offset.Should().Be(expected);

    [Fact]
    public void Who_was_told_nothing_begins_where_they_began()
    {
        var joined = new JoinedTopic(new TopicInterest("topic"), 1, new("e", 100), new("e", 120));
        joined.From(mark: null).Since.Offset.Should().Be(100);
        joined.From(new Mark(Nothing, new(LogPosition.Unknown, 0))).Since.Offset.Should().Be(100);
        joined.From(new Mark(Nothing, new("another", 7))).Since.Epoch.Should().Be("another");
    }

    [Fact]
    public void An_envelope_is_read_as_it_was_written_and_nothing_else_is()
    {
        var publication = new Publication("t\u00f6pic", "name", "{\"a\":1}"u8.ToArray()) { Id = Guid.NewGuid(), Except = "me", Attachments = [new byte[] { 1, 2 }, Array.Empty<byte>()] };
        var bytes = new Envelope("node", EnvelopeKind.Kept, MayBeAgain: true, publication).Write();
        var read = Envelope.Read(bytes)!;
        read.Should().BeEquivalentTo(new Envelope("node", EnvelopeKind.Kept, MayBeAgain: true, publication), options => options
            .Excluding(envelope => envelope.Publication.Data).Excluding(envelope => envelope.Publication.Attachments));
        read.Publication.Data.ToArray().Should().Equal(publication.Data.ToArray());
        read.Publication.Attachments.Select(attachment => attachment.ToArray()).Should().BeEquivalentTo(new[] { new byte[] { 1, 2 }, [] });

        for (var length = 0; length < bytes.Length; length++)
        {
            Envelope.Read(bytes[..length]).Should().BeNull();
        }

        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), noise => Envelope.Read(noise) is null || noise[0] == 1).QuickCheckThrowOnFailure();
    }
}
