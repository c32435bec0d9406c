using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Unit.Tenancy;

public sealed class KeyRotationTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly Project Project = Project.Create(OrganizationId.New(Now), "Rotation", Region.EuWest, null, null, null, Now);

    [Fact]
    public void Whatever_the_expiry_and_the_overlap_no_key_outlives_what_was_meant()
    {
        var hours = Gen.Choose(1, 2000).Select(hour => (DateTimeOffset?)Now.AddHours(hour));
        Prop.ForAll(
            Gen.OneOf(Gen.Constant((DateTimeOffset?)null), hours).ToArbitrary(),
            Gen.Choose(0, ApiKey.MaximumOverlapHours).ToArbitrary(),
            (end, overlap) =>
            {
                var old = KeyUntil(end);
                old.Rotate(TimeSpan.FromHours(overlap), null, Now).TryGet(out var successor, out _).Should().BeTrue();

                successor.Key.ExpiresAt.Should().Be(end, "a successor inherits the expiry");
                old.ExpiresAt.Should().Be(end is { } own && own < Now.AddHours(overlap) ? own : Now.AddHours(overlap));
                old.ReplacedBy.Should().Be(successor.Key.Id);
                successor.Key.Scopes.Should().Equal(old.Scopes);
            }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_key_has_one_successor_and_an_ended_one_none()
    {
        var key = KeyUntil(null);
        key.Rotate(TimeSpan.FromHours(1), null, Now).TryGet(out _, out _).Should().BeTrue();
        key.Rotate(TimeSpan.FromHours(1), null, Now).Refusal.Should().Be(ApiKeyRefusals.Rotated);

        KeyUntil(Now).Rotate(TimeSpan.Zero, null, Now).Refusal.Should().Be(ApiKeyRefusals.Ended);
        var revoked = KeyUntil(null);
        revoked.Revoke(Now);
        revoked.Rotate(TimeSpan.Zero, null, Now).Refusal.Should().Be(ApiKeyRefusals.Ended);
    }

    private static ApiKey KeyUntil(DateTimeOffset? end) =>
        ApiKey.Issue(Project, ApiKeyKind.Secret, ApiKeyEnvironment.Live, new ApiKeyGrant("Key", ["audit:read"], TrackerRole.Peer, end, ["192.0.2.0/24"]), null, Now).Key;
}
