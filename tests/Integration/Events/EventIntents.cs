using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Events;

public sealed record ReadEvent(JsonNode Body)
{
    public Guid Id => Body["id"]!.GetValue<Guid>();

    public string Type => Body["type"]!.GetValue<string>();
}

public static class EventIntents
{
    /// <summary>All that the owner is told, a few at a time, once there are so many.</summary>
    public static async Task<IReadOnlyList<ReadEvent>> EventsAsync(this School school, int atLeast, string? after = null, string types = "")
    {
        var events = new List<ReadEvent>();
        await VtpApi.UntilAsync(
            async () =>
            {
                events.Clear();
                var cursor = after;
                for (var hasMore = true; hasMore;)
                {
                    var page = await school.Owner.GetAsync($"events?org_id={school.Id}&limit=3&after={cursor}&types={types}");
                    page.Status.Should().Be(System.Net.HttpStatusCode.OK, page.Text);
                    events.AddRange(page.Data().Select(one => new ReadEvent(one!)));
                    (cursor, hasMore) = (page["next_cursor"], page.Body.GetProperty("has_more").GetBoolean());
                }

                return events.Count >= atLeast;
            },
            $"{atLeast} events");
        return events;
    }
}
