using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class OrganizationTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task Who_founds_an_organization_is_its_owner_and_sees_what_was_sent()
    {
        var person = await api.RegisterAsync();
        var email = Intents.NewAddress();

        var made = await person.PostAsync("organizations", new { name = "  Haddad School ", admin_email = email.ToUpperInvariant(), plan = "enterprise" });

        made.Status.Should().Be(HttpStatusCode.Created, made.Text);
        made.Headers.Location!.ToString().Should().Be($"/api/v1/organizations/{made["id"]}");
        (made["name"], made["admin_email"], made["plan"], made["role"], made["audit_retention_days"])
            .Should().Be(("Haddad School", email, "Enterprise", "Owner", "365"));
        (await person.GetAsync($"organizations/{made["id"]}")).Text.Should().Be(made.Text);
        (await person.GetAsync($"organizations/{made["id"]}/members")).Data().Single()!["role"]!.GetValue<string>().Should().Be("Owner");
    }

    [Theory]
    [InlineData("name", """{"name":"ab","admin_email":"a@school.example"}""")]
    [InlineData("name", """{"admin_email":"a@school.example"}""")]
    [InlineData("name", """{"name":"a\u0007bc","admin_email":"a@school.example"}""")]
    [InlineData("admin_email", """{"name":"abc"}""")]
    [InlineData("admin_email", """{"name":"abc","admin_email":"nobody"}""")]
    [InlineData("plan", """{"name":"abc","admin_email":"a@school.example","plan":"Platinum"}""")]
    [InlineData("plan", """{"name":"abc","admin_email":"a@school.example","plan":1}""")]
    public async Task What_cannot_be_an_organization_is_refused_with_the_field(string field, string body)
    {
        var answer = await (await api.RegisterAsync()).PostAsync("organizations", body);

        answer.Status.Should().Be(HttpStatusCode.BadRequest);
        answer.Body.GetProperty("errors").TryGetProperty(field, out _).Should().BeTrue(answer.Text);
    }

    [Fact]
    public async Task A_name_of_a_hundred_and_one_characters_is_one_too_long()
    {
        var person = await api.RegisterAsync();
        (await person.PostAsync("organizations", new { name = new string('n', 101), admin_email = Intents.NewAddress() }))
            .ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "name");
        (await person.PostAsync("organizations", new { name = new string('n', 100), admin_email = Intents.NewAddress() }))
            .Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Search_finds_parts_of_names_and_addresses_without_case_and_accents_and_takes_every_character_as_itself()
    {
        var person = await api.RegisterAsync();
        await person.FoundAsync("École du Soir");
        await person.FoundAsync("Ümlaut 100%_Schule");
        await person.FoundAsync("مدرسة المساء");

        (await Found("ECOLE")).Should().Equal("École du Soir");
        (await Found("umlaut")).Should().Equal("Ümlaut 100%_Schule");
        (await Found("100%_")).Should().Equal("Ümlaut 100%_Schule");
        (await Found("المساء")).Should().Equal("مدرسة المساء");
        (await Found("%")).Should().Equal("Ümlaut 100%_Schule");
        (await Found("\\")).Should().BeEmpty();
        (await Found("'; DROP TABLE organizations; --")).Should().BeEmpty();
        (await person.GetAsync($"organizations?search={new string('x', 101)}")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "search");

        async Task<IEnumerable<string>> Found(string search) =>
            (await person.GetAsync($"organizations?search={Uri.EscapeDataString(search)}")).Data().Select(one => one!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_list_is_paged_newest_first_and_absurd_pages_are_clamped_or_refused()
    {
        var person = await api.RegisterAsync();
        for (var count = 1; count <= 3; count++)
        {
            await person.FoundAsync($"School {count}");
        }

        var page = await person.GetAsync("organizations?page=2&limit=2");
        page.Data().Select(one => one!["name"]!.GetValue<string>()).Should().Equal("School 1");
        page.Body.GetProperty("pagination").ToString().Should().Be("""{"page":2,"limit":2,"total":3,"total_pages":2}""");
        (await person.GetAsync("organizations?limit=1000000")).Body.GetProperty("pagination").GetProperty("limit").GetInt32().Should().Be(100);
        (await person.GetAsync("organizations?page=99999999999")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "page");
        (await person.GetAsync("organizations?limit=x")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "limit");
    }

    [Fact]
    public async Task An_update_changes_what_is_sent_and_no_more()
    {
        var school = await api.FoundSchoolAsync("Free");
        var before = await school.Owner.GetAsync(school.Path);

        var after = await school.Owner.PutAsync(school.Path, new { name = "New Name", admin_email = "other@school.example" });

        (after["name"], after["plan"], after["admin_email"]).Should().Be(("New Name", "Free", before["admin_email"]));
        (await school.Owner.PutAsync(school.Path, new { name = "", plan = "Pro" }))["name"].Should().Be("New Name");
        (await school.Owner.PutAsync(school.Path, new { audit_retention_days = 29 })).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "audit_retention_days");
        (await school.Owner.PutAsync(school.Path, new { audit_retention_days = 400 }))["audit_retention_days"].Should().Be("400");
        (await api.QueryAsync<long>("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass")).Should().BeGreaterThan(4);
    }

    [Fact]
    public async Task Deleting_hides_everything_ends_keys_at_once_and_frees_the_address_and_can_be_undone_for_thirty_days()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var email = (await school.Owner.GetAsync(school.Path))["admin_email"];
        (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);

        (await school.Owner.DeleteAsync(school.Path)).Status.Should().Be(HttpStatusCode.OK);

        (await api.GetWithKeyAsync(project.Path, project.Secret)).ShouldBeProblem(HttpStatusCode.Unauthorized, "api_key.rejected");
        (await school.Owner.GetAsync(school.Path)).ShouldBeProblem(HttpStatusCode.NotFound, "organization.not_found");
        (await school.Owner.GetAsync(project.Path)).ShouldBeProblem(HttpStatusCode.NotFound, "project.not_found");
        (await school.Owner.GetAsync("organizations")).Data().Should().BeEmpty();
        (await school.Owner.GetAsync("organizations?deleted=true")).Data().Should().ContainSingle();
        (await school.Owner.GetAsync("projects")).Data().Should().BeEmpty();

        var other = await (await api.RegisterAsync()).PostAsync("organizations", new { name = "Reuse", admin_email = email });
        other.Status.Should().Be(HttpStatusCode.Created, "the address is free again");
        (await school.Owner.PostAsync($"{school.Path}/restore")).ShouldBeProblem(HttpStatusCode.Conflict, "organization.address_taken", "admin_email");
        await api.QueryAsync<int>("UPDATE organizations SET admin_email = $1 WHERE id = $2", Intents.NewAddress(), Guid.Parse(other["id"]));

        (await school.Owner.PostAsync($"{school.Path}/restore")).Status.Should().Be(HttpStatusCode.OK);
        (await api.GetWithKeyAsync(project.Path, project.Secret)).Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.PostAsync($"{school.Path}/restore")).ShouldBeProblem(HttpStatusCode.Conflict, "restore.not_deleted");

        await school.Owner.DeleteAsync(school.Path);
        await api.QueryAsync<int>("UPDATE organizations SET deleted_at = deleted_at - interval '31 days' WHERE id = $1", school.Id);
        (await school.Owner.PostAsync($"{school.Path}/restore")).ShouldBeProblem(HttpStatusCode.Conflict, "restore.too_late");
        (await school.Owner.GetAsync("organizations?deleted=true")).Data().Should().BeEmpty();
    }

    [Fact]
    public async Task An_address_serves_one_living_organization_however_many_are_founded_at_once()
    {
        var (person, email) = (await api.RegisterAsync(), Intents.NewAddress());

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => person.PostAsync("organizations", new { name = "Same", admin_email = email })));

        answers.Count(answer => answer.Status == HttpStatusCode.Created).Should().Be(1);
        answers.Where(answer => answer.Status != HttpStatusCode.Created).Should().OnlyContain(answer => answer.Status == HttpStatusCode.Conflict);
        (await person.GetAsync("organizations")).Data().Should().ContainSingle();
    }

    [Fact]
    public async Task Founding_under_an_idempotency_key_founds_once()
    {
        var person = await api.RegisterAsync();
        var body = new { name = "Once", admin_email = Intents.NewAddress() };

        var answers = new[] { await Send(), await Send() };

        answers[1].Text.Should().Be(answers[0].Text);
        (await person.GetAsync("organizations")).Data().Should().ContainSingle();

        Task<Answer> Send() => api.SendAsync(HttpMethod.Post, "organizations", body, person.AccessToken, ("Idempotency-Key", "found-once"));
    }
}
