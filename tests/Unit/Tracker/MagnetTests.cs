using Vtp.Domain.Tracker;

namespace Vtp.Unit.Tracker;

public sealed class MagnetTests
{
    private const string Hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void A_link_is_encoded_and_read_back_as_it_was()
    {
        ContentHash.TryParse(Hash, out var hash).Should().BeTrue();
        var magnet = new Magnet(hash, "a & b + 100% = ü.mp4", 600_000, ["https://vtp.example.com/tracker?x=1&y=2"], 262_144, 3);

        var link = magnet.ToString();

        link.Should().Be(
            $"magnet:?xt=urn:sha256:{Hash}&dn=a%20%26%20b%20%2B%20100%25%20%3D%20%C3%BC.mp4&xl=600000"
            + "&tr=https%3A%2F%2Fvtp.example.com%2Ftracker%3Fx%3D1%26y%3D2&x.cs=262144&x.tc=3");
        Magnet.Parse(link).TryGet(out var read, out _).Should().BeTrue();
        read.Should().BeEquivalentTo(magnet);
    }

    [Theory]
    [InlineData("magnet:?xt=urn:sha-256:" + Hash)]
    [InlineData("magnet:?dn=name&xt=urn:btih:" + Hash)]
    [InlineData("MAGNET:?xt=urn%3Asha256%3A" + Hash)]
    [InlineData("magnet:?xt=urn:ed2k:31D6CFE0D16AE931B73C59D7E0C089C0&xt=urn:sha256:" + Hash)]
    public void Other_forms_of_the_topic_are_read(string link)
    {
        Magnet.Parse(link).TryGet(out var magnet, out _).Should().BeTrue();
        magnet!.Hash.ToString().Should().Be(Hash);
    }

    [Fact]
    public void A_plus_is_a_space_as_in_a_form()
    {
        Magnet.Parse($"magnet:?xt=urn:sha256:{Hash}&dn=a+b%2Bc").TryGet(out var magnet, out _).Should().BeTrue();
        magnet!.Name.Should().Be("a b+c");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("http://example.com")]
    [InlineData("magnet:?dn=name")]
    [InlineData("magnet:?xt=urn:sha256:abc")]
    [InlineData("magnet:?xt")]
    public void What_names_no_hash_is_refused(string? link)
    {
        Magnet.Parse(link).TryGet(out _, out var refusal).Should().BeFalse();
        refusal!.Errors.Should().ContainKey("uri");
    }

    [Fact]
    public void An_endless_link_is_refused_unread()
    {
        Magnet.Parse($"magnet:?xt=urn:sha256:{Hash}&dn={new string('a', Magnet.MaximumLength)}").TryGet(out _, out var refusal).Should().BeFalse();
        refusal!.Code.Should().Be("magnet.malformed");
    }

    [Theory]
    [InlineData(0, 0, 0, 50)]
    [InlineData(100, 0, 0, 80)]
    [InlineData(100, 100, 0, 60)]
    [InlineData(500, 100, 0, 80)]
    [InlineData(50, 100, 0, 40)]
    [InlineData(0, 100, 0, 30)]
    [InlineData(0, 0, 3, 56)]
    [InlineData(0, 0, 100, 60)]
    [InlineData(long.MaxValue, 1, 100, 90)]
    public void Giving_raises_a_reputation_and_taking_lowers_it(long uploaded, long downloaded, int files, double expected) =>
        Reputation.Of(uploaded, downloaded, files, TimeSpan.Zero).Should().Be(expected);

    [Fact]
    public void Who_has_been_here_for_long_is_trusted_more() =>
        (Reputation.Of(0, 0, 0, TimeSpan.FromDays(10)), Reputation.Of(0, 0, 0, TimeSpan.FromDays(1000))).Should().Be((55, 60));
}
