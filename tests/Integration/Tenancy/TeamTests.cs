using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class TeamTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task An_invited_person_joins_by_the_mail_and_counts_as_verified()
    {
        var school = await api.FoundSchoolAsync();
        var invited = await api.RegisterAsync();

        var answer = await school.InviteAsync(invited.Email.ToUpperInvariant(), "Viewer");
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        var mail = await api.MailToAsync(invited.Email, "invited");
        var token = await api.TokenFromMailAsync(invited.Email, "invited");

        mail.Should().Contain("Evening School").And.Contain("Viewer");
        answer.Text.Should().NotContain(token, "the token is in the mail alone");
        (await DumpOfInvitationAsync(invited.Email)).Should().NotContain(token);

        var accepted = await invited.PostAsync("invitations/accept", new { token });
        accepted.Status.Should().Be(HttpStatusCode.OK, accepted.Text);
        accepted.Body.GetProperty("member").GetProperty("role").GetString().Should().Be("Viewer");
        (await invited.GetAsync(school.Path))["role"].Should().Be("Viewer");
        (await invited.GetAsync("auth/profile")).Body.GetProperty("email_verified").GetBoolean().Should().BeTrue();
        (await InvitationsAsync(school)).Should().Equal("Accepted");
    }

    [Fact]
    public async Task A_token_works_once_even_when_sent_twenty_times_at_once()
    {
        var school = await api.FoundSchoolAsync();
        var invited = await api.RegisterAsync();
        await school.InviteAsync(invited.Email);
        var token = await api.TokenFromMailAsync(invited.Email, "invited");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => invited.PostAsync("invitations/accept", new { token })));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(1);
        (await school.Owner.GetAsync($"{school.Path}/members")).Data().Should().HaveCount(2);
    }

    [Fact]
    public async Task Only_the_invited_address_may_accept()
    {
        var school = await api.FoundSchoolAsync();
        var (invited, thief) = (await api.RegisterAsync(), await api.RegisterAsync());
        await school.InviteAsync(invited.Email);
        var token = await api.TokenFromMailAsync(invited.Email, "invited");

        (await thief.PostAsync("invitations/accept", new { token })).ShouldBeProblem(HttpStatusCode.Forbidden, "invitation.other_address");
        (await api.PostAsync("invitations/accept", new { token })).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await invited.PostAsync("invitations/accept", new { token })).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_open_invitation_blocks_a_second_one_and_one_that_ran_out_revoked_or_accepted_never_does()
    {
        var school = await api.FoundSchoolAsync();
        var invited = await api.RegisterAsync();

        await school.InviteAsync(invited.Email);
        (await school.InviteAsync(invited.Email)).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.pending");
        await ExpireAsync(invited.Email);
        (await school.InviteAsync(invited.Email)).Status.Should().Be(HttpStatusCode.Created);
        (await InvitationsAsync(school)).Should().Equal("Pending", "Expired");

        var open = (await school.Owner.GetAsync($"{school.Path}/invitations?status=pending")).Data().Single()!["id"]!.GetValue<string>();
        (await school.Owner.DeleteAsync($"{school.Path}/invitations/{open}")).Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.DeleteAsync($"{school.Path}/invitations/{open}")).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.closed");
        await school.JoinAsync("Admin", invited);
        (await InvitationsAsync(school)).Should().Equal("Accepted", "Revoked", "Expired");
        (await school.InviteAsync(invited.Email)).ShouldBeProblem(HttpStatusCode.Conflict, "member.exists");

        await school.Owner.DeleteAsync($"{school.Path}/members/{invited.UserId}");
        (await school.InviteAsync(invited.Email)).Status.Should().Be(HttpStatusCode.Created, "who left may come back");
    }

    [Fact]
    public async Task Sending_again_gives_another_token_and_seven_more_days_and_revives_what_ran_out()
    {
        var school = await api.FoundSchoolAsync();
        var invited = await api.RegisterAsync();
        var id = (await school.InviteAsync(invited.Email)).Body.GetProperty("invitation").GetProperty("id").GetGuid();
        var first = await api.TokenFromMailAsync(invited.Email, "invited");
        await ExpireAsync(invited.Email);
        (await invited.PostAsync("invitations/accept", new { token = first })).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.expired");

        var again = await school.Owner.PostAsync($"{school.Path}/invitations/{id}/resend");

        again.Status.Should().Be(HttpStatusCode.OK, again.Text);
        again.Body.GetProperty("invitation").GetProperty("status").GetString().Should().Be("Pending");
        var second = await api.TokenFromMailAsync(invited.Email, "invited", atLeast: 2);
        second.Should().NotBe(first);
        (await invited.PostAsync("invitations/accept", new { token = first })).ShouldBeProblem(HttpStatusCode.NotFound, "invitation.token_rejected");
        (await invited.PostAsync("invitations/accept", new { token = second })).Status.Should().Be(HttpStatusCode.OK);
        (await school.Owner.PostAsync($"{school.Path}/invitations/{id}/resend")).ShouldBeProblem(HttpStatusCode.Conflict, "invitation.closed");
    }

    [Fact]
    public async Task Seats_hold_when_more_accept_at_once_than_there_are()
    {
        var school = await api.FoundSchoolAsync("Free");
        var tokens = new List<(Person Person, string Token)>();
        for (var count = 0; count < 12; count++)
        {
            var person = await api.RegisterAsync();
            (await school.InviteAsync(person.Email)).Status.Should().Be(HttpStatusCode.Created);
            tokens.Add((person, await api.TokenFromMailAsync(person.Email, "invited")));
        }

        var answers = await Task.WhenAll(tokens.Select(one => one.Person.PostAsync("invitations/accept", new { token = one.Token })));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).Should().Be(9, "a free organization has ten seats and its owner sits on one");
        answers.Where(answer => answer.Status != HttpStatusCode.OK).Should().OnlyContain(answer => answer.Error == "organization.seats_taken");
        (await api.QueryAsync<long>("SELECT count(*) FROM members WHERE organization_id = $1", school.Id)).Should().Be(10);
        (await school.InviteAsync(Intents.NewAddress())).ShouldBeProblem(HttpStatusCode.Conflict, "organization.seats_taken");
    }

    [Fact]
    public async Task One_owner_is_left_however_many_demote_and_remove_each_other_at_once()
    {
        var school = await api.FoundSchoolAsync();
        var owners = new List<Person> { school.Owner };
        for (var count = 0; count < 5; count++)
        {
            var person = await api.RegisterAsync();
            await school.AddMemberAsync(person, "Owner");
            owners.Add(person);
        }

        await Task.WhenAll(owners.Select((owner, index) => (index % 3) switch
        {
            0 => owner.PutAsync($"{school.Path}/members/{owners[(index + 1) % owners.Count].UserId}/role", new { role = "Viewer" }),
            1 => owner.DeleteAsync($"{school.Path}/members/{owners[(index + 1) % owners.Count].UserId}"),
            _ => owner.PostAsync($"{school.Path}/leave"),
        }));
        (await OwnersAsync(school)).Should().BeGreaterThanOrEqualTo(1);

        foreach (var owner in owners)
        {
            await owner.PostAsync($"{school.Path}/leave");
            await owner.PutAsync($"{school.Path}/members/{owner.UserId}/role", new { role = "Viewer" });
        }

        (await OwnersAsync(school)).Should().Be(1);
    }

    [Fact]
    public async Task The_last_owner_is_told_so()
    {
        var school = await api.FoundSchoolAsync();

        (await school.Owner.PostAsync($"{school.Path}/leave")).ShouldBeProblem(HttpStatusCode.Conflict, "member.last_owner");
        (await school.Owner.DeleteAsync($"{school.Path}/members/{school.Owner.UserId}")).ShouldBeProblem(HttpStatusCode.Conflict, "member.last_owner");
        (await school.Owner.PutAsync($"{school.Path}/members/{school.Owner.UserId}/role", new { role = "Admin" }))
            .ShouldBeProblem(HttpStatusCode.Conflict, "member.last_owner");
    }

    [Fact]
    public async Task An_admin_manages_the_team_but_neither_makes_nor_touches_owners()
    {
        var school = await api.FoundSchoolAsync();
        var (admin, viewer) = (await api.RegisterAsync(), await api.RegisterAsync());
        await school.AddMemberAsync(admin, "Admin");
        var viewerId = await school.AddMemberAsync(viewer, "Viewer");

        (await admin.PutAsync($"{school.Path}/members/{admin.UserId}/role", new { role = "Owner" })).ShouldBeProblem(HttpStatusCode.Forbidden, "member.owners_only");
        (await admin.PutAsync($"{school.Path}/members/{viewerId}/role", new { role = "Owner" })).ShouldBeProblem(HttpStatusCode.Forbidden, "member.owners_only");
        (await admin.PutAsync($"{school.Path}/members/{school.Owner.UserId}/role", new { role = "Viewer" })).ShouldBeProblem(HttpStatusCode.Forbidden, "member.owners_only");
        (await admin.DeleteAsync($"{school.Path}/members/{school.Owner.UserId}")).ShouldBeProblem(HttpStatusCode.Forbidden, "member.owners_only");
        (await school.InviteAsync(Intents.NewAddress(), "Owner", admin)).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "role");

        (await admin.PutAsync($"{school.Path}/members/{viewerId}/role", new { role = "developer" })).Body.GetProperty("member").GetProperty("role").GetString()
            .Should().Be("Developer");
        (await viewer.GetAsync("organizations")).Data().Single()!["role"]!.GetValue<string>().Should().Be("Developer", "a role counts from the next request on");
        (await admin.DeleteAsync($"{school.Path}/members/{viewer.UserId}")).Status.Should().Be(HttpStatusCode.OK);
        (await viewer.GetAsync(school.Path)).Status.Should().Be(HttpStatusCode.NotFound, "a removed member is out at once");
        (await school.Owner.PutAsync($"{school.Path}/members/{admin.UserId}/role", new { role = "Owner" })).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_removed_creator_leaves_the_key_working_and_flagged()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        var developer = await api.RegisterAsync();
        await school.AddMemberAsync(developer, "Developer");
        var made = await developer.PostAsync($"{project.Path}/keys", new { name = "Theirs", scopes = new[] { "project:read" } });

        await school.Owner.DeleteAsync($"{school.Path}/members/{developer.UserId}");

        (await api.GetWithKeyAsync(project.Path, made["key"])).Status.Should().Be(HttpStatusCode.OK);
        var flags = (await school.Owner.GetAsync($"{project.Path}/keys")).Data().Select(key => (key!["name"]!.GetValue<string>(), key["creator_removed"]!.GetValue<bool>()));
        flags.Should().BeEquivalentTo(new[] { ("Theirs", true), ("Project secret", false), ("Project key", false) });
    }

    [Fact]
    public async Task Members_are_searched_by_name_and_address()
    {
        var school = await api.FoundSchoolAsync();
        var person = await api.RegisterAsync();
        await api.SendAsync(HttpMethod.Put, "auth/profile", new { full_name = "Zoë Çelik" }, person.AccessToken);
        await school.AddMemberAsync(person, "Viewer");

        (await school.Owner.GetAsync($"{school.Path}/members?search=ZOE%20celik")).Data().Single()!["name"]!.GetValue<string>().Should().Be("Zoë Çelik");
        (await school.Owner.GetAsync($"{school.Path}/members?search={person.Email[..10]}")).Data().Should().ContainSingle();
        (await school.Owner.GetAsync($"{school.Path}/members?role=Owner")).Data().Should().ContainSingle();
        (await school.Owner.GetAsync($"{school.Path}/members?role=King")).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "role");
    }

    [Fact]
    public async Task People_are_searched_by_an_index() =>
        (await api.QueryAsync<string>(
            """
            SET enable_seqscan = off;
            CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
            DECLARE line text; lines text := '';
            BEGIN FOR line IN EXECUTE 'EXPLAIN ' || statement LOOP lines := lines || line; END LOOP; RETURN lines; END $$;
            SELECT plan_of('SELECT id FROM accounts WHERE search_text LIKE vtp_fold(''%zoe%'')')
            """)).Should().Contain("accounts_search");

    private Task<long> OwnersAsync(School school) =>
        api.QueryAsync<long>("SELECT count(*) FROM members WHERE organization_id = $1 AND role = 'owner'", school.Id)!;

    private Task<int> ExpireAsync(string email) =>
        api.QueryAsync<int>("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE email = $1 AND closed_at IS NULL", email)!;

    private async Task<string> DumpOfInvitationAsync(string email) =>
        await api.QueryAsync<string>("SELECT string_agg(invitations::text, ' ') FROM invitations WHERE email = $1", email) ?? "";

    private static async Task<IEnumerable<string>> InvitationsAsync(School school) =>
        (await school.Owner.GetAsync($"{school.Path}/invitations")).Data().Select(one => one!["status"]!.GetValue<string>());
}
