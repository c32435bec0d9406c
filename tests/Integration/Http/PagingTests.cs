using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed class PagingTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Theory]
    [InlineData("", 1, 20)]
    [InlineData("?limit=0", 1, 1)]
    [InlineData("?limit=-5&page=-1", 1, 1)]
    [InlineData("?limit=1000", 1, 100)]
    [InlineData("?page=2&limit=7", 2, 7)]
    [InlineData("?page=2147483647&limit=2147483647", 1_000_000, 100)]
    public async Task Page_and_limit_are_brought_into_range(string query, int page, int limit)
    {
        var administrator = await api.RegisterAdministratorAsync();

        var pagination = (await administrator.GetAsync($"admin/users{query}")).Body.GetProperty("pagination");

        pagination.GetProperty("page").GetInt32().Should().Be(page);
        pagination.GetProperty("limit").GetInt32().Should().Be(limit);
    }

    [Fact]
    public async Task Pages_hold_every_row_once_and_tell_how_many_there_are()
    {
        var (administrator, mark) = (await api.RegisterAdministratorAsync(), $"mark{Guid.NewGuid():N}");
        for (var number = 0; number < 5; number++)
        {
            await api.RegisterAsync($"{mark}-{number}@school.example");
        }

        var seen = new List<string>();
        for (var page = 1; page <= 3; page++)
        {
            var answer = await administrator.GetAsync($"admin/users?search={mark}&limit=2&page={page}");
            var pagination = answer.Body.GetProperty("pagination");
            pagination.GetProperty("total").GetInt32().Should().Be(5);
            pagination.GetProperty("total_pages").GetInt32().Should().Be(3);
            seen.AddRange(answer.Body.GetProperty("data").EnumerateArray().Select(user => user.GetProperty("email").GetString()!));
        }

        seen.Should().OnlyHaveUniqueItems().And.HaveCount(5);
    }

    [Fact]
    public async Task A_list_without_rows_is_an_empty_list()
    {
        var administrator = await api.RegisterAdministratorAsync();

        foreach (var query in new[] { "?search=nobody-is-called-this", "?page=999" })
        {
            var answer = await administrator.GetAsync($"admin/users{query}");
            answer.Status.Should().Be(HttpStatusCode.OK);
            answer.Text.Should().StartWith("{\"data\":[],");
        }

        await api.QueryAsync<int>("DELETE FROM security_events WHERE account_id = $1", administrator.UserId);
        (await administrator.GetAsync("auth/security-events")).Text.Should().Be("{\"data\":[],\"next_cursor\":null}");
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(7, 49)]
    [InlineData(20, 20)]
    [InlineData(100, 101)]
    public async Task A_walk_by_cursor_meets_every_event_once_newest_first_also_while_new_ones_come(int limit, int events)
    {
        var person = await api.RegisterAsync();
        await api.QueryAsync<int>("DELETE FROM security_events WHERE account_id = $1", person.UserId);
        await api.QueryAsync<int>(
            """
            INSERT INTO security_events (id, account_id, type, created_at)
            SELECT gen_random_uuid(), $1, 'signed_in', now() FROM generate_series(1, $2)
            """,
            person.UserId,
            events);

        var (walked, cursor, steps) = (new List<Guid>(), "", 0);
        do
        {
            var page = await person.GetAsync($"auth/security-events?limit={limit}{cursor}");
            page.Status.Should().Be(HttpStatusCode.OK, page.Text);
            walked.AddRange(page.Body.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("id").GetGuid()));
            cursor = page["next_cursor"] is { Length: > 0 } next ? $"&cursor={next}" : null;

            steps++;

            // Newer than all: in front of what the walk has passed.
            await api.QueryAsync<int>(
                "INSERT INTO security_events (id, account_id, type, created_at) VALUES ($1, $2, 'signed_in', now())",
                Guid.Parse($"ffffffff-ffff-7fff{Guid.NewGuid().ToString()[18..]}"),
                person.UserId);
        }
        while (cursor is not null && steps <= events);

        walked.Should().HaveCount(events).And.OnlyHaveUniqueItems();
        walked.Select(id => id.ToString()).Should().BeInDescendingOrder(StringComparer.Ordinal);
        steps.Should().Be((events + limit - 1) / limit);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("")]
    public async Task A_cursor_that_came_from_elsewhere_is_refused(string cursor)
    {
        var person = await api.RegisterAsync();

        (await person.GetAsync($"auth/security-events?cursor={cursor}")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.cursor_invalid", "cursor");
    }
}
