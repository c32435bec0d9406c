using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>A server that takes small archives only.</summary>
public sealed class SmallArchivesApi : VtpApi
{
    public const int MaximumBytes = 4_000_000;

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Archives:MaximumBytes", $"{MaximumBytes}")];
}

/// <summary>A school's archives, and the people who try to import what is made of them.</summary>
public sealed class ArchiveVictims : IAsyncLifetime
{
    private readonly VtpApi _source = new();

    public SmallArchivesApi Server { get; } = new();

    internal byte[] Organization { get; private set; } = [];

    internal byte[] Project { get; private set; } = [];

    internal Person Administrator { get; private set; } = null!;

    internal Person Developer { get; private set; } = null!;

    /// <summary>Of the developer, on the server that imports; likewise the project and its organization's other member.</summary>
    internal Guid OwnOrganization { get; private set; }

    internal Guid ForeignOrganization { get; private set; }

    internal Guid ForeignProject { get; private set; }

    public async Task InitializeAsync()
    {
        await _source.InitializeAsync();
        await Server.InitializeAsync();
        var school = await ArchivedSchool.FoundAsync(_source);
        (Organization, Project) = (await school.Owner.ExportAsync("organizations", school.Id), await school.Owner.ExportAsync("projects", school.Project));
        Administrator = await Server.RegisterAdministratorAsync();
        var foreign = await ArchivedSchool.FoundAsync(Server);
        (ForeignOrganization, ForeignProject) = (foreign.Id, foreign.Project);
        Developer = await Server.RegisterAsync();
        OwnOrganization = Guid.Parse((await Developer.PostAsync("organizations", new { name = "Own school", admin_email = Intents.NewAddress() }))["id"]);
        await Server.MailSettledAsync();
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await _source.DisposeAsync();
    }
}

public sealed class BadArchiveTests(ArchiveVictims victims) : IClassFixture<ArchiveVictims>
{
    private const string Archive = "archive";
    private const string Manifest = Package.Manifest;
    private const string Members = "members.jsonl";
    private const string Accounts = "accounts.jsonl";
    private const string Projects = "projects.jsonl";
    private const string Keys = "api_keys.jsonl";
    private const string Entries = "audit_entries.jsonl";

    /// <summary>What is done to the archive of an organization, which file is named for it, and a part of the sentence.</summary>
    private static readonly Dictionary<string, (Func<Package, ArchiveVictims, byte[]> Spoil, string File, string Sentence)> OfOrganizations = new(StringComparer.Ordinal)
    {
        ["nothing"] = ((_, _) => [], Archive, "not a ZIP"),
        ["not a ZIP"] = ((_, _) => Encoding.UTF8.GetBytes(new string('x', 5000)), Archive, "not a ZIP"),
        ["cut off"] = ((good, _) => good.ToZip()[..^200], Archive, "not whole"),
        ["half"] = ((good, _) => good.ToZip()[..1000], Archive, "not whole"),
        ["a directory of thousands of entries"] = ((_, _) => ManyEntries(), Archive, "not a ZIP"),
        ["no manifest"] = ((good, _) => Without(good, Manifest), Manifest, "missing"),
        ["a manifest that is no JSON"] = ((good, _) => With(good, Manifest, "{"), Manifest, "not the manifest"),
        ["a manifest that is null"] = ((good, _) => With(good, Manifest, "null"), Manifest, "not the manifest"),
        ["a manifest without files"] = ((good, _) => good.Change(manifest => manifest.Remove("files")).ToZip(), Manifest, "not the manifest"),
        ["a manifest with a null for a file"] = ((good, _) => good.Change(manifest => manifest["files"]!.AsArray().Add(null)).ToZip(), Manifest, "fewer rows"),
        ["a manifest without end"] = ((good, _) => With(good, Manifest, new string(' ', 70_000)), Manifest, "64 KiB"),
        ["another version"] = ((good, _) => good.Change(manifest => manifest["format_version"] = 2).ToZip(), Manifest, "format_version 1"),
        ["another kind"] = ((_, victims) => victims.Project, Manifest, "not an organization's"),
        ["a newer schema"] = ((good, _) => good.Change(manifest => manifest["schema"] = "9999_future").ToZip(), Manifest, "newer version"),
        ["a path"] = ((good, _) => Add(good, "../../../etc/passwd"), "../../../etc/passwd", "does not belong"),
        ["another file"] = ((good, _) => Add(good, "sessions.jsonl"), "sessions.jsonl", "does not belong"),
        ["a file twice"] = ((good, _) => Add(good, Members), Members, "twice"),
        ["a file too few"] = ((good, _) => Without(good, Members), Members, "missing"),
        ["a file that the manifest forgets"] = (
            (good, _) => good.Change(manifest => manifest["files"]!.AsArray().RemoveAt(2)).ToZip(), Manifest, "does not speak of members.jsonl"),
        ["a wrong hash"] = ((good, _) => With(good, Members, good.Lines(Members)[0].Replace("owner", "admin", StringComparison.Ordinal) + "\n" + good.Lines(Members)[1] + "\n"), Members, "SHA-256"),
        ["a wrong number of rows"] = ((good, _) => good.Describe(file => file["rows"] = 99).ToZip(), "organizations.jsonl", "rows"),
        ["fewer bytes than it says"] = ((good, _) => good.Describe(file => file["bytes"] = 9999).ToZip(), "organizations.jsonl", "fewer bytes"),
        ["a bomb that says so"] = ((good, _) => good.Replace(Entries, new string('\n', 50_000_000)).ToZip(), Manifest, "this server takes 40000000"),
        ["a bomb that lies"] = ((good, _) => With(good, Entries, new string('\n', 50_000_000)), Entries, "more bytes"),
        ["a line without end"] = ((good, _) => good.Replace(Entries, new string('x', 1_200_000) + "\n").ToZip(), Entries, "Line 1: the line is longer"),
        ["no end of the last line"] = ((good, _) => good.Replace(Members, string.Join('\n', good.Lines(Members))).ToZip(), Members, "Line 2: the line has no end"),
        ["a line that is no JSON"] = ((good, _) => good.Replace(Members, good.Lines(Members)[0] + "\n{\"id\":\n").ToZip(), Members, "Line 2: this is not JSON"),
        ["a line that is no object"] = ((good, _) => good.Replace(Members, "[]\n").ToZip(), Members, "Line 1: this is not an object"),
        ["an empty line"] = ((good, _) => good.Replace(Members, "\n").ToZip(), Members, "Line 1: this is not JSON"),
        ["bytes that are no UTF-8"] = ((good, _) => good.Replace(Members, [(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}', (byte)'\n']).ToZip(), Members, "Line 1: "),
        ["an empty object"] = ((good, _) => good.Replace(Members, "{}\n").ToZip(), Members, "Line 1: the column id is missing"),
        ["an unknown column"] = ((good, _) => good.Forge(Accounts, row => row["password_hash"] = "x").ToZip(), Accounts, "Line 1: it has a column that is unknown"),
        ["a column that only the second line has"] = ((good, _) => good.Forge(Members, row => row["extra"] = 1, line: 1).ToZip(), Members, "Line 2: its columns"),
        ["a column twice"] = ((good, _) => good.Replace(Members, good.Lines(Members)[0][..^1] + ",\"role\":\"owner\"}\n").ToZip(), Members, "Line 1: it has a column"),
        ["a column name that is no text"] = ((good, _) => good.Replace(Members, "{\"\\ud800\":1}\n").ToZip(), Members, "Line 1: it has a column"),
        ["a missing column"] = ((good, _) => good.Forge(Members, row => row.Remove("organization_id")).ToZip(), Members, "Line 1: the column organization_id"),
        ["a trail without organization"] = ((good, _) => ForgeAll(good, Entries, row => row.Remove("organization_id")), Entries, "Line 1: organization_id is not"),
        ["a trail of the installation"] = ((good, _) => good.Forge(Entries, row => row["organization_id"] = null, line: 1).ToZip(), Entries, "Line 2: organization_id is not"),
        ["a member elsewhere"] = (
            (good, victims) => good.Forge(Members, row => row["organization_id"] = $"{victims.ForeignOrganization}", line: 1).ToZip(), Members, "Line 2: organization_id is not"),
        ["a project elsewhere"] = (
            (good, victims) => good.Forge(Projects, row => row["organization_id"] = $"{victims.ForeignOrganization}").ToZip(), Projects, "Line 1: organization_id is not"),
        ["a key of a project elsewhere"] = (
            (good, victims) => good.Forge(Keys, row => row["project_id"] = $"{victims.ForeignProject}", line: 1).ToZip(), Keys, "Line 2: project_id names nothing in projects.jsonl"),
        ["a trail of a project elsewhere"] = (
            (good, victims) => good.Forge(Entries, row => row["project_id"] = $"{victims.ForeignProject}", line: 2).ToZip(), Entries, "Line 3: project_id names a project of another"),
        ["a member without account"] = ((good, _) => good.Forge(Members, row => row["account_id"] = $"{Guid.NewGuid()}").ToZip(), Members, "Line 1: account_id names nothing in accounts.jsonl"),
        ["a member twice"] = (
            (good, _) => good.Forge(Members, row => row["account_id"] = good.Rows(Members)[0]["account_id"]!.DeepClone(), line: 1).ToZip(), Members, "Line 2: account_id is a member already"),
        ["an account that is no member's"] = ((good, _) => good.Replace(Members, good.Lines(Members)[0] + "\n").ToZip(), Accounts, "is no member's"),
        ["an administrator"] = ((good, _) => good.Forge(Accounts, row => row["role"] = "admin").ToZip(), Accounts, "Line 1: role is neither student nor teacher"),
        ["an id twice"] = ((good, _) => good.Replace(Entries, good.Lines(Entries)[0] + "\n" + good.Lines(Entries)[0] + "\n").ToZip(), Entries, "Line 2: its id is not greater"),
        ["another organization in the manifest"] = ((good, _) => good.Change(manifest => manifest["id"] = $"{Guid.NewGuid()}").ToZip(), "organizations.jsonl", "Line 1: id is not"),
        ["no organization"] = ((good, _) => good.Replace("organizations.jsonl", "").ToZip(), "organizations.jsonl", "one row"),
        ["a role that is none"] = ((good, _) => good.Forge(Members, row => row["role"] = "king").ToZip(), Members, "Line 1: role is none of"),
        ["a null"] = ((good, _) => good.Forge(Members, row => row["role"] = null).ToZip(), Members, "Line 1: role is not a value of the type text"),
        ["a number for a text"] = ((good, _) => good.Forge(Members, row => row["role"] = 1).ToZip(), Members, "Line 1: role is not a value of the type text"),
        ["a time that is none"] = ((good, _) => good.Forge(Members, row => row["joined_at"] = "infinity").ToZip(), Members, "Line 1: joined_at is not a value"),
        ["NUL in a text"] = ((good, _) => good.Forge("invitations.jsonl", row => row["name"] = "a\0b").ToZip(), "invitations.jsonl", "Line 1: name is not a value"),
        ["half a character"] = (
            (good, _) => good.Replace("invitations.jsonl", good.Lines("invitations.jsonl")[0].Replace("\"Noor\"", "\"\\ud800\"", StringComparison.Ordinal) + "\n").ToZip(),
            "invitations.jsonl",
            "Line 1: name is not a value"),
        ["NUL deep in what changed"] = (
            (good, _) => good.Forge(Entries, row => row["changes"] = JsonNode.Parse("""[{"a\u0000":1}]""")).ToZip(), Entries, "Line 1: changes is not a value"),
        ["a number that PostgreSQL does not take"] = (
            (good, _) => good.Replace(Entries, WithChanges(good, "1e999999")).ToZip(), Entries, "PostgreSQL does not take"),
        ["a network that is none"] = ((good, _) => good.Forge(Keys, row => row["allowed_cidrs"] = new JsonArray("everywhere")).ToZip(), Keys, "Line 1: allowed_cidrs"),
        ["a trail for ever"] = ((good, _) => good.Forge(Entries, row => row["kept_until"] = "9999-01-01T00:00:00.000000Z").ToZip(), Entries, "Line 1: kept_until is later"),
        ["two open invitations of one address"] = (
            (good, _) => ForgeAll(good, "invitations.jsonl", row => (row["email"], row["closed_at"]) = ("one@school.example", null)), "invitations.jsonl", "PostgreSQL does not take"),
    };

    public static TheoryData<string> SpoiltOrganizations => [.. OfOrganizations.Keys];

    [Theory]
    [MemberData(nameof(SpoiltOrganizations))]
    public async Task A_bad_archive_of_an_organization_is_refused_with_its_file_and_nothing_is_written(string what)
    {
        var (spoil, file, sentence) = OfOrganizations[what];
        var archive = spoil(Package.Read(victims.Organization), victims);
        archive.Length.Should().BeLessThan(SmallArchivesApi.MaximumBytes);
        var before = await victims.Server.ContentAsync();

        var answer = await victims.Administrator.ImportAsync(archive);

        answer.Status.Should().Be(HttpStatusCode.BadRequest, answer.Text);
        answer.Error.Should().Be("archive.invalid");
        var fault = answer.Body.GetProperty("errors").EnumerateObject().Single();
        fault.Name.Should().Be(file);
        fault.Value[0].GetString().Should().Contain(sentence);
        (await victims.Server.ContentAsync()).Should().Be(before);
        Directory.EnumerateFiles(Path.GetTempPath(), "vtp-archive-*").Should().BeEmpty();
    }

    [Theory]
    [InlineData("a key of another project", Keys, "Line 2: project_id is not the id of the project")]
    [InlineData("an organization of its own", Projects, "Line 1: it has a column that is unknown")]
    [InlineData("a region that is none", Projects, "Line 1: region is none of")]
    [InlineData("a hook that runs programs", Projects, "Line 1: webhook_url is not a web address")]
    [InlineData("a bucket that is none", Projects, "Line 1: storage_config is not a bucket")]
    [InlineData("a scope that is none", Keys, "Line 1: scopes has a scope")]
    [InlineData("a short hash", Keys, "Line 1: key_hash is not a SHA-256")]
    [InlineData("the trail of an organization", Entries, "does not belong")]
    public async Task A_bad_archive_of_a_project_is_refused_with_its_line_and_nothing_is_written(string what, string file, string sentence)
    {
        var good = Package.Read(victims.Project);
        var archive = what switch
        {
            "a key of another project" => good.Forge(Keys, row => row["project_id"] = $"{victims.ForeignProject}", line: 1).ToZip(),
            "an organization of its own" => good.Forge(Projects, row => row["organization_id"] = $"{victims.ForeignOrganization}").ToZip(),
            "a region that is none" => good.Forge(Projects, row => row["region"] = "mars").ToZip(),
            "a hook that runs programs" => good.Forge(Projects, row => row["webhook_url"] = "javascript:alert(1)").ToZip(),
            "a bucket that is none" => good.Forge(Projects, row => row["storage_config"] = new JsonObject { ["Provider"] = 5 }).ToZip(),
            "a scope that is none" => good.Forge(Keys, row => row["scopes"] = new JsonArray("everything")).ToZip(),
            "a short hash" => good.Forge(Keys, row => row["key_hash"] = "\\x00").ToZip(),
            _ => Add(good, Entries),
        };
        var before = await victims.Server.ContentAsync();

        var answer = await victims.Developer.ImportAsync($"projects/import?org_id={victims.OwnOrganization}", archive);

        answer.ShouldBeProblem(HttpStatusCode.BadRequest, "archive.invalid", file);
        answer.Body.GetProperty("errors").GetProperty(file)[0].GetString().Should().Contain(sentence);
        (await victims.Server.ContentAsync()).Should().Be(before);
    }

    [Fact]
    public async Task A_project_cannot_be_imported_over_one_of_another_organization_nor_into_one()
    {
        var forged = Package.Read(victims.Project);
        var id = $"{victims.ForeignProject}";
        forged.Forge(Projects, row => row["id"] = id).Change(manifest => manifest["id"] = id);
        ForgeAll(forged, Keys, row => row["project_id"] = id);
        var before = await victims.Server.ContentAsync();

        (await victims.Developer.ImportAsync($"projects/import?org_id={victims.OwnOrganization}", forged.ToZip())).ShouldBeProblem(HttpStatusCode.Conflict, "archive.exists");
        (await victims.Developer.ImportAsync($"projects/import?org_id={victims.ForeignOrganization}", victims.Project))
            .ShouldBeProblem(HttpStatusCode.NotFound, "organization.not_found");
        (await victims.Server.ContentAsync()).Should().Be(before);
    }

    [Fact]
    public async Task What_is_no_zip_by_its_type_or_too_large_is_not_even_read()
    {
        foreach (var type in new[] { "application/json", "application/octet-stream", "multipart/form-data" })
        {
            (await victims.Administrator.ImportAsync(victims.Organization, type)).ShouldBeProblem(HttpStatusCode.UnsupportedMediaType, "request.unsupported_media_type");
        }

        (await victims.Administrator.ImportAsync(new byte[SmallArchivesApi.MaximumBytes + 1])).ShouldBeProblem(HttpStatusCode.RequestEntityTooLarge, "request.too_large");
        (await victims.Administrator.PostAsync("organizations", new { name = new string('x', 40_000) }))
            .ShouldBeProblem(HttpStatusCode.RequestEntityTooLarge, "request.too_large");
    }

    [Theory]
    [InlineData("organizations/import", "archive.invalid", "archive")]
    [InlineData("projects/import", "request.invalid", "org_id")]
    [InlineData("projects/import?org_id=%00", "request.invalid_text", "org_id")]
    [InlineData("projects/import?org_id=abc", "request.invalid", "org_id")]
    public async Task A_request_without_what_it_needs_is_told_so(string path, string error, string field)
    {
        (await victims.Administrator.PostAsync(path)).ShouldBeProblem(HttpStatusCode.BadRequest, error, field);
        var hostile = await victims.Administrator.ImportAsync("projects/import?org_id=%ED%A0%80", victims.Project);
        hostile.ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "org_id");
    }

    private static byte[] With(Package good, string name, string text)
    {
        good[name] = Encoding.UTF8.GetBytes(text);
        return good.ToZip();
    }

    private static byte[] Without(Package good, string name)
    {
        good.Files.RemoveAll(file => file.Name == name);
        return good.ToZip();
    }

    private static byte[] Add(Package good, string name)
    {
        good.Files.Add((name, []));
        return good.ToZip();
    }

    private static byte[] ForgeAll(Package good, string name, Action<JsonObject> change)
    {
        var rows = good.Rows(name);
        rows.ForEach(change);
        return good.Replace(name, string.Concat(rows.Select(row => $"{row.ToJsonString()}\n"))).ToZip();
    }

    private static string WithChanges(Package good, string json)
    {
        var row = good.Rows(Entries)[0];
        row["changes"] = "here";
        return row.ToJsonString().Replace("\"here\"", json, StringComparison.Ordinal) + "\n";
    }

    /// <summary>Names in the directory alone, without any file behind them: as many as the size of the archive allows.</summary>
    private static byte[] ManyEntries()
    {
        const int Header = 46;
        var count = ushort.MaxValue;
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        for (var entry = 0; entry < count; entry++)
        {
            var header = new byte[Header];
            BitConverter.TryWriteBytes(header, 0x02014b50);
            writer.Write(header);
        }

        writer.Write(0x06054b50);
        writer.Write(0);
        writer.Write(count);
        writer.Write(count);
        writer.Write(count * Header);
        writer.Write(0);
        writer.Write((ushort)0);
        return bytes.ToArray();
    }
}
