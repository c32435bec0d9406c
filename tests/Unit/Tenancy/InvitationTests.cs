using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Unit.Tenancy;

public sealed class InvitationTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly EmailAddress Email = EmailAddress.Parse("noor@school.example");

    private readonly Invitation _invitation = Invitation.To(Email, "Noor", MemberRole.Viewer, OrganizationId.New(Now), AccountId.New(Now), Now);

    [Fact]
    public void It_holds_for_seven_days_to_the_second()
    {
        _invitation.StatusAt(Now.AddDays(7).AddSeconds(-1)).Should().Be(InvitationStatus.Pending);
        _invitation.StatusAt(Now.AddDays(7)).Should().Be(InvitationStatus.Expired);
        _invitation.Accept(Email, Now.AddDays(7)).Should().Be(InvitationRefusals.Expired);
        _invitation.Accept(Email, Now.AddDays(7).AddSeconds(-1)).Should().BeNull();
    }

    [Fact]
    public void Only_the_hash_of_its_token_is_kept_and_nothing_of_it_once_closed()
    {
        var token = _invitation.NewToken();
        _invitation.TokenHash.Should().Equal(OneTimeSecret.Hash(token));

        _invitation.Accept(Email, Now);
        _invitation.TokenHash.Should().BeNull();
    }

    [Fact]
    public void What_is_closed_stays_closed()
    {
        _invitation.Revoke(Now).Should().BeNull();

        foreach (var again in new Func<Refusal?>[] { () => _invitation.Revoke(Now), () => _invitation.Resend(Now) })
        {
            again().Should().Be(InvitationRefusals.Closed);
        }

        _invitation.Accept(Email, Now).Should().Be(InvitationRefusals.TokenRejected);
        _invitation.StatusAt(Now.AddYears(1)).Should().Be(InvitationStatus.Revoked);
    }

    [Fact]
    public void Sending_again_kills_the_old_token_and_begins_the_days_anew()
    {
        _invitation.NewToken();
        _invitation.Resend(Now.AddDays(10)).Should().BeNull();

        _invitation.TokenHash.Should().BeNull();
        _invitation.StatusAt(Now.AddDays(16)).Should().Be(InvitationStatus.Pending);
    }
}
