using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;

namespace Vtp.Unit.Identity;

public sealed class SessionTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly SessionPolicy Policy = new(TimeSpan.FromHours(168), TimeSpan.FromDays(30), TimeSpan.FromSeconds(30));

    private readonly Session _session = Session.Start(AccountId.New(Start), ["pwd"], "192.0.2.1", "test", Start);

    [Fact]
    public void A_refresh_answers_a_successor_and_every_late_caller_gets_the_same_one()
    {
        var first = _session.CurrentToken();

        var successor = Refresh(first, Start.AddMinutes(5));
        Refresh(first, Start.AddMinutes(5).AddSeconds(30)).Reveal().Should().Be(successor.Reveal());
        successor.Reveal().Should().NotBe(first.Reveal());
    }

    [Fact]
    public void A_straggler_is_forgiven_though_the_family_has_moved_on_twice()
    {
        var first = _session.CurrentToken();
        var second = Refresh(first, Start);
        var third = Refresh(second, Start.AddSeconds(10));

        Refresh(first, Start.AddSeconds(30)).Reveal().Should().Be(third.Reveal());
    }

    [Fact]
    public void A_token_that_comes_back_after_the_grace_ends_its_session()
    {
        var first = _session.CurrentToken();
        var second = Refresh(first, Start);

        _session.Refresh(first, Policy, Start.AddSeconds(31)).Refusal.Should().BeSameAs(SessionRefusals.TokenReused);
        _session.EndReason.Should().Be(SessionEnd.RefreshReused);
        _session.Refresh(second, Policy, Start.AddSeconds(31)).Refusal.Should().BeSameAs(SessionRefusals.TokenRejected);
    }

    [Fact]
    public void A_forged_token_is_refused_and_harms_nobody()
    {
        var forged = RefreshToken.Issue(_session.Id, 0, new byte[32]);

        _session.Refresh(forged, Policy, Start.AddHours(1)).Refusal.Should().BeSameAs(SessionRefusals.TokenRejected);
        _session.EndedAt.Should().BeNull();
    }

    [Fact]
    public void It_ends_when_idle_for_a_week_and_after_thirty_days_in_any_case()
    {
        _session.Refresh(_session.CurrentToken(), Policy, Start.AddHours(168)).Refusal.Should().BeSameAs(SessionRefusals.TokenRejected);

        var (token, at) = (_session.CurrentToken(), Start);
        while (at < Start.AddDays(29))
        {
            at = at.AddDays(1);
            token = Refresh(token, at);
        }

        _session.Refresh(token, Policy, Start.AddDays(30)).Refusal.Should().BeSameAs(SessionRefusals.TokenRejected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("vtr_")]
    [InlineData("vtr_AAAA")]
    [InlineData("vtr_!!!!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.AAAA")]
    public void What_is_not_a_refresh_token_is_not_parsed(string text) => RefreshToken.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void A_token_survives_being_written_down_and_hides_when_printed()
    {
        var token = _session.CurrentToken();

        RefreshToken.TryParse(token.Reveal(), out var parsed).Should().BeTrue();
        (parsed!.SessionId, parsed.Counter).Should().Be((_session.Id, 0));
        token.ToString().Should().Be("vtr_…");
    }

    private RefreshToken Refresh(RefreshToken token, DateTimeOffset at)
    {
        _session.Refresh(token, Policy, at).TryGet(out var next, out var refusal).Should().BeTrue(refusal?.Code);
        return next!;
    }
}
