using System.Net;
using Vtp.Infrastructure.RateLimiting;
using Vtp.Integration.Fixture;
using Vtp.Integration.Http;

namespace Vtp.Integration.Redis;

/// <summary>Three servers beside each other, two of which a stranger asks.</summary>
public sealed class NodesWithoutRedisTests(VtpApi api) : IClassFixture<VtpApi>
{
    // Thirty at once; what an hour gives back does not come in the way.
    private static readonly (string Name, string Value)[] Limits =
        [("TrustedProxies", "127.0.0.1"), ("RateLimits:api:Limit", "1"), ("RateLimits:api:Period", "01:00:00"), ("RateLimits:api:Burst", "29")];

    [Fact]
    public async Task Without_Redis_nodes_that_know_of_each_other_admit_together_what_one_would()
    {
        await using var one = await SecondNode.BesideAsync(api, Limits);
        await using (var other = await SecondNode.BesideAsync(api, Limits))
        {
            await VtpApi.UntilAsync(() => Known(one) == 3 && Known(other) == 3, "the nodes to know of each other");
            var address = DoorApi.NewAddress();

            (await AdmittedAsync(one, address)).Should().Be(10, "a third is its share");
            (await AdmittedAsync(other, address)).Should().Be(10);
        }

        await VtpApi.UntilAsync(() => Known(one) == 2, "the one that has stopped to be counted no more");
        (await AdmittedAsync(one, DoorApi.NewAddress())).Should().Be(15);

        static int Known(VtpApi node) => node.Service<KnownNodes>().Count;
    }

    private static async Task<int> AdmittedAsync(VtpApi node, string address)
    {
        for (var admitted = 0; ; admitted++)
        {
            if ((await node.FromAsync(address)).Status == HttpStatusCode.TooManyRequests)
            {
                return admitted;
            }
        }
    }
}
