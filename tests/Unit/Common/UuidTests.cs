using Vtp.Domain.Common;

namespace Vtp.Unit.Common;

public sealed class UuidTests
{
    [Fact]
    public void Ids_sort_as_their_times_do_within_a_millisecond()
    {
        var start = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var ids = Enumerable.Range(0, 2000).Select(step => Uuid.NewVersion7(start.AddTicks(step * 10))).ToList();

        ids.Select(id => id.ToString()).Should().BeInAscendingOrder(StringComparer.Ordinal).And.OnlyHaveUniqueItems();
        ids.Should().OnlyContain(id => id.Version == 7 && id.Variant >= 8 && id.Variant <= 11);
    }
}
