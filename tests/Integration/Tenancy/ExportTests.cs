using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Vtp.Application.Operations.Upkeep;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Infrastructure.Archives;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>Archives that are made in the background.</summary>
public sealed class ExportTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task What_one_node_has_made_another_one_serves_whole_and_in_parts_and_a_third_server_takes_in()
    {
        var school = await ArchivedSchool.FoundAsync(api);
        await api.QueryAsync<int>(
            """
            INSERT INTO api_keys (id, organization_id, project_id, kind, environment, name, key_hash, preview, scopes, tracker_role, allowed_cidrs, is_of_pair, created_at, revoked_at)
            SELECT gen_random_uuid(), organization_id, project_id, kind, environment, name, sha256(gen_random_uuid()::text::bytea), preview, scopes, tracker_role, allowed_cidrs, false, created_at, now()
            FROM api_keys, generate_series(1, 10000) WHERE project_id = $1 AND is_of_pair AND kind = 'secret' AND revoked_at IS NULL
            """,
            school.Project);
        var path = $"organizations/{school.Id}/exports";
        var started = await school.Owner.PostAsync(path);
        started.Status.Should().Be(HttpStatusCode.Created, started.Text);
        started.Headers.Location!.ToString().Should().Be($"/api/v1/{path}/{started["id"]}");
        started["state"].Should().BeOneOf("queued", "running");
        var export = await ReadyAsync(school.Owner, path, started["id"]);
        (await school.Owner.GetAsync(path)).Data().Should().ContainSingle().Which!["id"]!.GetValue<string>().Should().Be(started["id"]);

        await using var other = await SecondNode.BesideAsync(api);
        var (bytes, headers, content) = await DownloadAsync(other, school.Owner, $"{path}/{started["id"]}/content");
        bytes.Length.Should().BeGreaterThan(2 * ChunkWriter.ChunkBytes, "the parts below cross from one chunk to the next");
        content.ContentLength.Should().Be(bytes.Length).And.Be(export.Body.GetProperty("bytes").GetInt64());
        content.ContentDisposition!.FileName.Should().Be($"organization-{school.Id}.zip");
        export["sha256"].Should().Be(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        headers.ETag!.Tag.Should().Be($"\"{export["sha256"]}\"");
        headers.CacheControl!.NoStore.Should().BeTrue();

        foreach (var (from, to) in new (int, int)[] { (0, 0), (ChunkWriter.ChunkBytes - 5, ChunkWriter.ChunkBytes + 5), (7, bytes.Length - 2), (bytes.Length - 1, bytes.Length - 1) })
        {
            var (part, _, about) = await DownloadAsync(api, school.Owner, $"{path}/{started["id"]}/content", new RangeHeaderValue(from, to), HttpStatusCode.PartialContent);
            part.Should().Equal(bytes[from..(to + 1)]);
            about.ContentRange!.ToString().Should().Be($"bytes {from}-{to}/{bytes.Length}");
        }

        var empty = new VtpApi();
        await empty.InitializeAsync();
        try
        {
            var imported = await (await empty.RegisterAdministratorAsync()).ImportAsync(bytes);
            imported.Status.Should().Be(HttpStatusCode.Created, imported.Text);
            (await empty.SystemAsync<long>("SELECT count(*) FROM api_keys WHERE project_id = $1", school.Project)).Should().BeGreaterThan(10000);
        }
        finally
        {
            await empty.DisposeAsync();
        }

        (await school.Owner.DeleteAsync($"{path}/{started["id"]}")).Status.Should().Be(HttpStatusCode.NoContent);
        (await api.QueryAsync<long>("SELECT count(*) FROM archive_export_chunks WHERE organization_id = $1", school.Id)).Should().Be(0);
        foreach (var (action, times) in new[] { ("started", 1), ("downloaded", 5), ("deleted", 1) })
        {
            (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE organization_id = $1 AND action = $2 AND target_name = $3", school.Id, $"organization.export_{action}", school.Name))
                .Should().Be(times, action);
        }
    }

    [Fact]
    public async Task A_try_that_dies_in_the_middle_leaves_nothing_and_the_next_one_makes_one_whole_file()
    {
        var school = await api.FoundSchoolAsync();
        var project = await school.CreateProjectAsync();
        await api.QueryAsync<int>(
            $"""
            CREATE SEQUENCE tries;
            CREATE FUNCTION die_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                IF NEW.organization_id = '{school.Id}' AND nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER die_once AFTER INSERT ON archive_export_chunks FOR EACH ROW EXECUTE FUNCTION die_once()
            """);
        try
        {
            var started = await school.Owner.PostAsync($"{project.Path}/exports");
            await VtpApi.UntilAsync(
                async () => await api.QueryAsync<bool>("SELECT state = 'scheduled' AND attempts = 1 FROM jobs WHERE unique_key = $1", started["id"]), "the first try to fail");
            (await school.Owner.GetAsync($"{project.Path}/exports/{started["id"]}"))["state"].Should().Be("running");
            (await api.QueryAsync<long>("SELECT count(*) FROM archive_export_chunks WHERE organization_id = $1", school.Id)).Should().Be(0);

            api.Clock.Advance(TimeSpan.FromSeconds(10));
            var export = await ReadyAsync(school.Owner, $"{project.Path}/exports", started["id"]);

            var (bytes, _, about) = await DownloadAsync(api, school.Owner, $"{project.Path}/exports/{started["id"]}/content");
            Convert.ToHexStringLower(SHA256.HashData(bytes)).Should().Be(export["sha256"]);
            about.ContentDisposition!.FileName.Should().Be($"project-{project.Id}.zip");
            Package.Read(bytes).Files.Select(file => file.Name).Should().Equal("projects.jsonl", "api_keys.jsonl", Package.Manifest);
            await api.MailSettledAsync();
            (await api.QueryAsync<long>("SELECT count(*) FROM emails WHERE kind = 'export_ready' AND subject_id = $1", Guid.Parse(started["id"]))).Should().Be(1);
        }
        finally
        {
            await api.QueryAsync<int>("DROP FUNCTION die_once CASCADE; DROP SEQUENCE tries");
        }
    }

    [Fact]
    public async Task An_organization_has_three_at_most_however_many_are_asked_for_at_once_and_for_whichever_project()
    {
        var school = await api.FoundSchoolAsync();
        var (one, two) = (await school.CreateProjectAsync(), await school.CreateProjectAsync("Another"));
        var answers = await Task.WhenAll(new[] { school.Path, one.Path, two.Path, school.Path, one.Path, two.Path }.Select(path => school.Owner.PostAsync($"{path}/exports")));

        answers.Count(answer => answer.Status == HttpStatusCode.Created).Should().Be(ArchiveExport.MaximumPerOrganization);
        foreach (var refused in answers.Where(answer => answer.Status != HttpStatusCode.Created))
        {
            refused.ShouldBeProblem(HttpStatusCode.Conflict, "export.too_many");
        }

        var list = (await school.Owner.GetAsync($"{school.Path}/exports")).Data();
        list.Should().HaveCount(3);
        foreach (var id in list.Select(export => export!["id"]!.GetValue<string>()).ToList())
        {
            await ReadyAsync(school.Owner, $"{school.Path}/exports", id);
        }

        (await school.Owner.PostAsync($"{one.Path}/exports")).ShouldBeProblem(HttpStatusCode.Conflict, "export.too_many");
        (await school.Owner.DeleteAsync($"{school.Path}/exports/{list[0]!["id"]}")).Status.Should().Be(HttpStatusCode.NoContent);
        (await school.Owner.PostAsync($"{one.Path}/exports")).Status.Should().Be(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_project_sees_its_own_exports_only()
    {
        var school = await api.FoundSchoolAsync();
        var (one, two) = (await school.CreateProjectAsync(), await school.CreateProjectAsync("Another"));
        var whole = (await school.Owner.PostAsync($"{school.Path}/exports"))["id"];
        var of = (await school.Owner.PostAsync($"{one.Path}/exports"))["id"];

        (await school.Owner.GetAsync($"{one.Path}/exports")).Data().Select(export => export!["id"]!.GetValue<string>()).Should().Equal(of);
        (await school.Owner.GetAsync($"{two.Path}/exports")).Data().Should().BeEmpty();
        foreach (var path in new[] { $"{one.Path}/exports/{whole}", $"{two.Path}/exports/{of}", $"{one.Path}/exports/{whole}/content" })
        {
            (await school.Owner.GetAsync(path)).ShouldBeProblem(HttpStatusCode.NotFound, "export.not_found");
        }

        (await school.Owner.DeleteAsync($"{one.Path}/exports/{whole}")).ShouldBeProblem(HttpStatusCode.NotFound, "export.not_found");
        (await school.Owner.GetAsync($"{school.Path}/exports/{of}")).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_export_is_gone_after_seven_days_and_its_bytes_with_the_next_sweep()
    {
        var school = await api.FoundSchoolAsync();
        var path = $"{school.Path}/exports";
        var (old, young) = ((await school.Owner.PostAsync(path))["id"], (await school.Owner.PostAsync(path))["id"]);
        await ReadyAsync(school.Owner, path, old);
        var ready = (await ReadyAsync(school.Owner, path, young)).Body;
        (ready.GetProperty("expires_at").GetDateTimeOffset() - ready.GetProperty("finished_at").GetDateTimeOffset()).Should().Be(TimeSpan.FromDays(7));
        await api.QueryAsync<int>("UPDATE archive_exports SET expires_at = $2 WHERE id = $1", Guid.Parse(old), api.Clock.GetUtcNow());

        (await school.Owner.GetAsync($"{path}/{old}/content")).ShouldBeProblem(HttpStatusCode.NotFound, "export.not_found");
        (await school.Owner.GetAsync(path)).Data().Should().ContainSingle();
        await api.Service<IUpkeep>().SweepExportsAsync(CancellationToken.None);

        (await api.QueryAsync<Guid[]>("SELECT array_agg(id) FROM archive_exports WHERE organization_id = $1", school.Id)).Should().Equal(Guid.Parse(young));
        (await api.QueryAsync<Guid[]>("SELECT array_agg(DISTINCT export_id) FROM archive_export_chunks WHERE organization_id = $1", school.Id)).Should().Equal(Guid.Parse(young));
    }

    [Fact]
    public async Task What_waits_can_be_deleted_and_what_nobody_makes_any_more_is_failed()
    {
        var school = await api.FoundSchoolAsync();
        var path = $"{school.Path}/exports";
        await api.QueryAsync<int>("INSERT INTO paused_job_kinds (kind, paused_at) VALUES ('archives.export', now())");
        try
        {
            var (waiting, lost, unwanted) = ((await school.Owner.PostAsync(path))["id"], (await school.Owner.PostAsync(path))["id"], (await school.Owner.PostAsync(path))["id"]);
            (await school.Owner.GetAsync($"{path}/{waiting}/content")).ShouldBeProblem(HttpStatusCode.Conflict, "export.not_ready");
            (await school.Owner.DeleteAsync($"{path}/{unwanted}")).Status.Should().Be(HttpStatusCode.NoContent);
            await api.QueryAsync<int>("UPDATE archive_exports SET state = 'running' WHERE id = $1", Guid.Parse(lost));
            (await school.Owner.DeleteAsync($"{path}/{lost}")).ShouldBeProblem(HttpStatusCode.Conflict, "export.running");

            await api.QueryAsync<int>("DELETE FROM jobs WHERE unique_key = $1", lost);
            await api.Service<IUpkeep>().SweepExportsAsync(CancellationToken.None);

            (await school.Owner.GetAsync($"{path}/{waiting}"))["state"].Should().Be("queued");
            var failed = await school.Owner.GetAsync($"{path}/{lost}");
            (failed["state"], failed["error"]).Should().Be(("failed", "It failed again and again. The operator of the server sees why."));
            (await school.Owner.PostAsync(path)).Status.Should().Be(HttpStatusCode.Created);
            (await school.Owner.PostAsync(path)).Status.Should().Be(HttpStatusCode.Created, "what has failed takes no place");
            (await school.Owner.PostAsync(path)).Status.Should().Be(HttpStatusCode.Conflict);
            (await school.Owner.DeleteAsync($"{path}/{lost}")).Status.Should().Be(HttpStatusCode.NoContent);
        }
        finally
        {
            await api.QueryAsync<int>("DELETE FROM paused_job_kinds");
        }
    }

    [Fact]
    public async Task Who_asked_for_it_is_mailed_without_a_way_in_unless_they_have_left()
    {
        var school = await api.FoundSchoolAsync();
        await school.Owner.PostAsync($"{school.Path}/exports");
        var mail = await api.MailToAsync(school.Owner.Email, "The archive of Evening School is ready");
        mail.Should().Contain("it is kept for 7 days").And.NotContain("token=").And.NotContain("/exports");

        var project = await school.CreateProjectAsync();
        var leaver = await api.RegisterAsync();
        await school.AddMemberAsync(leaver, "Developer");
        await api.MailSettledAsync();
        await api.QueryAsync<int>("INSERT INTO paused_job_kinds (kind, paused_at) VALUES ('archives.export', now())");
        var started = await leaver.PostAsync($"{project.Path}/exports");
        await api.QueryAsync<int>("DELETE FROM members WHERE account_id = $1", leaver.UserId);
        await api.QueryAsync<int>("DELETE FROM paused_job_kinds");
        await ReadyAsync(school.Owner, $"{project.Path}/exports", started["id"]);
        await api.MailSettledAsync();

        (await api.QueryAsync<string>("SELECT failure FROM emails WHERE subject_id = $1", Guid.Parse(started["id"]))).Should().Be("nobody to send it to");
    }

    private static async Task<Answer> ReadyAsync(Person person, string path, string id)
    {
        Answer? answer = null;
        await VtpApi.UntilAsync(async () => (answer = await person.GetAsync($"{path}/{id}"))["state"] == "ready", "the export to be ready");
        return answer!;
    }

    private static async Task<(byte[] Bytes, HttpResponseHeaders Headers, HttpContentHeaders Content)> DownloadAsync(
        VtpApi from, Person person, string path, RangeHeaderValue? range = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.AccessToken);
        request.Headers.Range = range;
        using var response = await from.Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        response.StatusCode.Should().Be(expected);
        response.Content.Headers.ContentType!.ToString().Should().Be("application/zip");
        return (bytes, response.Headers, response.Content.Headers);
    }
}
