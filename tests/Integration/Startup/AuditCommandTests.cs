using System.Diagnostics;
using System.Security.Cryptography;
using Vtp.Unit.Audit;

namespace Vtp.Integration.Startup;

/// <summary>The command as an auditor runs it: the program, an export and a key, on a machine where nothing else of VTP's is.</summary>
public sealed class AuditCommandTests : IDisposable
{
    private const string Usage = "Usage: audit verify --export FILE --key FILE [--checkpoint FILE].";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vtp-audit-");
    private readonly SignedExport _export = SignedExport.New();

    [Fact]
    public async Task A_genuine_export_is_clean_and_nothing_is_started_for_it()
    {
        var (exit, output, errors) = await VerifyAsync();

        errors.Should().BeEmpty();
        output.Should().Be(
            """
            Export for organization 0198c0de-0000-7000-8000-000000000001, made at 2026-11-21 09:00:00Z.
            Checked 170 entries, sequence 21 to 200; 30 were dropped by signed retention.
            Checked 11 checkpoints, 0 of them kept elsewhere; the last names entry 200 and was signed at 2026-11-21 06:03:20Z.
            Nothing was found.

            """);
        exit.Should().Be(0);
        _folder.GetFileSystemInfos().Select(file => file.Name).Should().BeEquivalentTo("export.ndjson", "key");
    }

    [Fact]
    public async Task A_PEM_key_is_as_good()
    {
        var (exit, _, errors) = await VerifyAsync(key: _export.Pem);

        errors.Should().BeEmpty();
        exit.Should().Be(0);
    }

    [Fact]
    public async Task A_finding_is_one_sentence_that_says_where()
    {
        _export[57]["action"] = "project.created";
        _export.Remove(121, 122);

        var (exit, output, errors) = await VerifyAsync();

        errors.Should().BeEmpty();
        output.Should().StartWith(
            """
            Finding: Entry 57 (id 0198c0de-0000-7000-8000-000000000039) was edited: its content does not give its hash.
            Finding: Entries 121 to 122 were deleted: no signed retention says that they were dropped.

            """).And.EndWith("The trail is NOT as it was signed.\n");
        exit.Should().Be(1);
    }

    [Fact]
    public async Task A_checkpoint_that_was_kept_shows_what_was_cut_off_with_its_checkpoints()
    {
        var kept = _export.Checkpoints[^1].Jws;
        _export.Remove(151, 200);
        _export.Checkpoints.RemoveAll(checkpoint => checkpoint.Sequence > 150);
        (await VerifyAsync()).Exit.Should().Be(0);

        var (exit, output, _) = await VerifyAsync(checkpoints: $"{kept}\n\n");

        output.Should().StartWith("Finding: Entries 151 to 200 were cut off: the checkpoint signed at 2026-11-21 06:03:20Z names entry 200.\n")
            .And.Contain("1 of them kept elsewhere");
        exit.Should().Be(1);
    }

    [Fact]
    public async Task Without_any_checkpoint_nothing_is_proven()
    {
        _export.Checkpoints.Clear();

        var (exit, output, _) = await VerifyAsync();

        output.Should().EndWith("Finding: There is no valid checkpoint, so nothing ties these entries to what the server signed.\n");
        exit.Should().Be(1);
    }

    [Fact]
    public async Task Another_key_proves_nothing()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var (exit, output, _) = await VerifyAsync(key: other.ExportSubjectPublicKeyInfoPem());

        output.Should().Contain("Finding: The checkpoint in line 184 has a signature that is not right, so it proves nothing.");
        exit.Should().Be(1);
    }

    [Fact]
    public async Task What_is_filtered_or_not_yet_covered_is_said_and_no_finding()
    {
        _export.Header["filters"]!["action"] = "project.updated";
        _export.Checkpoints.RemoveAt(_export.Checkpoints.Count - 1);

        var (exit, output, _) = await VerifyAsync();

        output.Should().Contain("Note: this export is filtered.").And.Contain("Note: 20 of the newest entries are not yet covered by a checkpoint.");
        exit.Should().Be(0);
    }

    [Fact]
    public async Task A_hundred_findings_are_printed_and_the_rest_counted()
    {
        foreach (var entry in _export.Entries)
        {
            entry["status"] = "Other";
        }

        var (exit, output, _) = await VerifyAsync();

        output.Split('\n').Count(line => line.StartsWith("Finding: ", StringComparison.Ordinal)).Should().Be(100);
        output.Should().Contain("And 70 more findings.");
        exit.Should().Be(1);
    }

    [Theory]
    [InlineData("", $"{Usage}")]
    [InlineData("check", $"{Usage}")]
    [InlineData("verify", $"An export and a key are needed. {Usage}")]
    [InlineData("verify --export export.ndjson", $"An export and a key are needed. {Usage}")]
    [InlineData("verify --export export.ndjson --key", $"--key needs one file. {Usage}")]
    [InlineData("verify --export export.ndjson --key key --key key", $"--key needs one file. {Usage}")]
    [InlineData("verify --export export.ndjson --kye key", $"--kye is no option here. {Usage}")]
    [InlineData("verify --export missing --key key", "There is no file missing.")]
    [InlineData("verify --export missing/missing --key key", "There is no file missing/missing.")]
    [InlineData("verify --export export.ndjson --key missing", "There is no file missing.")]
    [InlineData("verify --export export.ndjson --key key --checkpoint missing", "There is no file missing.")]
    [InlineData("verify --export export.ndjson --key key --checkpoint empty", "empty holds no checkpoint.")]
    [InlineData("verify --export export.ndjson --key export.ndjson", "export.ndjson cannot be used as the key: It is neither a JWK Set, nor a JWK, nor a PEM public key.")]
    [InlineData("verify --export export.ndjson --key other", "other cannot be used as the key: It holds no public P-256 key for signatures.")]
    [InlineData("verify --export empty --key key", "The export is empty: not even its export line is there.")]
    [InlineData("verify --export other --key key", "The export does not begin with its export line, so it is not clear whose trail it is.")]
    [InlineData("verify --export later --key key", "The export is not of version 1, the only one that is known here.")]
    [InlineData("verify --export cut --key key", "Line 2 of the export is not one JSON object with each name once: the file was damaged, cut off or is none of VTP's.")]
    [InlineData("verify --export /dev/stdin --key key", "/dev/stdin is not a file that can be read twice: save the export first.")]
    public async Task What_cannot_be_read_is_one_sentence(string arguments, string sentence)
    {
        await WriteAsync(_export.Jwks, null);
        await File.WriteAllTextAsync(PathOf("empty"), "");
        await File.WriteAllTextAsync(PathOf("other"), "{\"keys\":[]}");
        await File.WriteAllTextAsync(PathOf("later"), "{\"type\":\"export\",\"version\":2}");
        await File.WriteAllTextAsync(PathOf("cut"), _export.Text()[..800]);

        var (exit, output, errors) = await RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        errors.Should().Be($"{sentence}\n");
        output.Should().BeEmpty();
        exit.Should().Be(2);
    }

    public void Dispose()
    {
        _export.Dispose();
        _folder.Delete(recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task WriteAsync(string key, string? checkpoints)
    {
        await File.WriteAllTextAsync(PathOf("export.ndjson"), _export.Text());
        await File.WriteAllTextAsync(PathOf("key"), key);
        if (checkpoints is not null)
        {
            await File.WriteAllTextAsync(PathOf("checkpoints"), checkpoints);
        }
    }

    private async Task<(int Exit, string Output, string Errors)> VerifyAsync(string? key = null, string? checkpoints = null)
    {
        await WriteAsync(key ?? _export.Jwks, checkpoints);
        return await RunAsync(["verify", "--export", "export.ndjson", "--key", "key", .. checkpoints is null ? Array.Empty<string>() : ["--checkpoint", "checkpoints"]]);
    }

    private async Task<(int Exit, string Output, string Errors)> RunAsync(string[] arguments)
    {
        var start = new ProcessStartInfo(RealServer.Dotnet, [RealServer.Assembly(), "audit", .. arguments])
        {
            WorkingDirectory = _folder.FullName,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // Whatever a server would be told, and could not use.
        start.Environment["VTP_FOLDER"] = Path.Combine(_folder.FullName, ".vtp");
        start.Environment["VTP_POSTGRES_BIN"] = "/nowhere";
        start.Environment["ConnectionStrings__Vtp"] = "nonsense";
        start.Environment["ASPNETCORE_URLS"] = "nonsense";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Patience);
        await using var kill = deadline.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }
}
