using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Http;

/// <summary>
/// What others take for attacks and refuse by pattern is plain text here: somebody's name, a title, a word to search for. It
/// is stored and answered letter for letter, finds only what contains it, and changes nothing.
/// </summary>
public sealed class HostileTextTests(VtpApi api) : IClassFixture<VtpApi>
{
    public static TheoryData<string> Patterns { get; } =
    [
        "' OR '1'='1", "Robert'); DROP TABLE accounts;--", "union all select * from accounts", "insert into accounts values (1)", "delete from accounts",
        "drop table accounts", "update accounts set role = 'admin'", "exec(master)", "execute(1)", "a -- comment", "a /* comment */ b", "xp_cmdshell", "sp_executesql",
        "1; SELECT pg_sleep(30)", "$1 $2", "$where", "$ne $gt $lt $gte $lte", "$regex: .*", "$or $and $nin $in $exists", "{\"$gt\": \"\"}", "100% _under_ \\back\\", "%' AND 1=0 AND '%'='",
        "<script>alert(1)</script>", "${7*7} {{7*7}} #{7*7}", "../../etc/passwd", "%00 %n %s", "\u202Eright-to-left",
    ];

    [Theory]
    [MemberData(nameof(Patterns))]
    public async Task It_is_stored_and_answered_letter_for_letter_and_finds_only_itself(string text)
    {
        var owner = await api.RegisterAsync();
        var (school, other) = (await owner.FoundAsync(text), await owner.FoundAsync("Morning School"));
        (await OnlyFoundAsync(owner, "organizations", text, "name")).GetProperty("id").GetGuid().Should().Be(school.Id);

        var project = await school.CreateProjectAsync(text);
        await school.CreateProjectAsync();
        (await OnlyFoundAsync(owner, $"projects?org_id={school.Id}", text, "name")).GetProperty("id").GetGuid().Should().Be(project.Id);

        var invited = await owner.PostAsync($"{school.Path}/members", new { email = Intents.NewAddress(), name = text, role = "Viewer" });
        invited.Status.Should().Be(HttpStatusCode.Created, invited.Text);
        invited.Body.GetProperty("invitation").GetProperty("name").GetString().Should().Be(text);
        (await owner.GetAsync($"{school.Path}/invitations")).Body.GetProperty("data").EnumerateArray().Should().ContainSingle()
            .Which.GetProperty("name").GetString().Should().Be(text);

        var webhook = await owner.PostAsync($"{project.Path}/webhooks", new { url = "https://hooks.example/a", description = text });
        webhook.Status.Should().Be(HttpStatusCode.Created, webhook.Text);
        var id = webhook.Body.GetProperty("webhook").GetProperty("id").GetGuid();
        (await owner.GetAsync($"{project.Path}/webhooks/{id}")).Body.GetProperty("webhook").GetProperty("description").GetString().Should().Be(text);
        (await FoundByOperatorsAsync(await api.RegisterAdministratorAsync(), text)).Should().Contain(found => found.GetProperty("id").GetGuid() == id);

        var key = await owner.PostAsync($"{project.Path}/keys", new { name = text, scopes = new[] { "audit:read" } });
        key.Status.Should().Be(HttpStatusCode.Created, key.Text);
        (await owner.GetAsync($"{project.Path}/keys")).Body.GetProperty("data").EnumerateArray().Should().Contain(kept => kept.GetProperty("name").GetString() == text);

        var profile = await api.SendAsync(HttpMethod.Put, "auth/profile", new { full_name = text }, owner.AccessToken);
        profile.Status.Should().Be(HttpStatusCode.OK, profile.Text);
        (await owner.GetAsync("auth/profile"))["full_name"].Should().Be(text);
        await OnlyFoundAsync(owner, $"{school.Path}/members", text, "name");

        (await owner.GetAsync(other.Path))["name"].Should().Be("Morning School", "nothing else was touched");
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public async Task As_a_filter_or_a_parameter_that_nobody_reads_it_does_nothing(string text)
    {
        var administrator = await api.RegisterAdministratorAsync();
        var word = Uri.EscapeDataString(text);
        var answer = await administrator.GetAsync($"organizations?search={word}&{word}={word}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        answer.Body.GetProperty("data").EnumerateArray().Should().BeEmpty();

        // Those that the other test has described so.
        (await FoundByOperatorsAsync(administrator, text))
            .Where(found => !found.GetProperty("description").GetString()!.Contains(text, StringComparison.OrdinalIgnoreCase)).Should().BeEmpty();
        (await administrator.GetAsync($"admin/audit-logs?action={word}")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "action");

        // Those whose name it is, by the other test.
        (await administrator.GetAsync($"admin/users?search={word}")).Body.GetProperty("data").EnumerateArray()
            .Where(found => found.GetProperty("full_name").GetString() != text).Should().BeEmpty();
        (await api.SignInAsync(text, text)).Status.Should().BeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest);
        (await api.SendAsync(HttpMethod.Get, $"/{word}")).Status.Should().BeOneOf(HttpStatusCode.NotFound, HttpStatusCode.BadRequest);
        (await api.SendAsync(HttpMethod.Get, "auth/profile", null, null, ("Authorization", $"Bearer {word}"), ("User-Agent", word))).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("""{"email": {"$ne": null}, "password": {"$ne": null}}""")]
    [InlineData("""{"email": ["a", "b"], "password": "x"}""")]
    [InlineData("""{"email": {"$regex": ".*"}, "password": true}""")]
    public async Task An_operator_in_the_place_of_a_text_is_no_text(string body) =>
        (await api.PostAsync("auth/login", body)).ShouldBeProblem(HttpStatusCode.BadRequest, "request.malformed_json", "email");

    private static async Task<List<JsonElement>> FoundByOperatorsAsync(Person administrator, string text)
    {
        var answer = await administrator.GetAsync($"admin/webhooks?search={Uri.EscapeDataString(text)}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return [.. answer.Body.GetProperty("data").EnumerateArray()];
    }

    private static async Task<JsonElement> OnlyFoundAsync(Person person, string list, string text, string field)
    {
        var answer = await person.GetAsync($"{list}{(list.Contains('?', StringComparison.Ordinal) ? '&' : '?')}search={Uri.EscapeDataString(text)}");
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        var found = answer.Body.GetProperty("data").EnumerateArray().Should().ContainSingle(answer.Text).Subject;
        found.GetProperty(field).GetString().Should().Be(text);
        return found;
    }
}
