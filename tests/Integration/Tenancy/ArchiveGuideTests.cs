using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

public sealed class ArchiveGuideTests(VtpApi api) : IClassFixture<VtpApi>, IAsyncLifetime
{
    private readonly VtpApi _new = new();

    public Task InitializeAsync() => _new.InitializeAsync();

    public Task DisposeAsync() => _new.DisposeAsync();

    [Fact]
    public async Task The_commands_of_the_guide_do_what_it_says()
    {
        var (moved, other, large) = (await ArchivedSchool.FoundAsync(api), await ArchivedSchool.FoundAsync(api), await ArchivedSchool.FoundAsync(api));
        var blocks = Regex.Matches(await File.ReadAllTextAsync(Guide()), "```bash\n(?<commands>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(block => block.Groups["commands"].Value).ToList();
        blocks.Should().HaveCount(4);
        var developer = await _new.RegisterAsync();
        var organization = (await developer.PostAsync("organizations", new { name = "Another school", admin_email = Intents.NewAddress() }))["id"];
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["OLD"] = api.Url.ToString().TrimEnd('/'),
            ["NEW"] = _new.Url.ToString().TrimEnd('/'),
            ["ADMIN_TOKEN"] = (await _new.RegisterAdministratorAsync()).AccessToken,
            ["NEW_TOKEN"] = developer.AccessToken,
            ["NEW_ORGANIZATION"] = organization,
        };

        // An organization brings its projects along, and a project is on a server once: a school for each way.
        await RunAsync([blocks[0], blocks[1]], moved);
        await RunAsync([blocks[0], blocks[2]], other);
        await RunAsync([blocks[3], blocks[1]], large);

        (await _new.SystemAsync<Guid>("SELECT organization_id FROM projects WHERE id = $1", moved.Project)).Should().Be(moved.Id);
        (await _new.SystemAsync<Guid>("SELECT organization_id FROM projects WHERE id = $1", large.Project)).Should().Be(large.Id);
        (await _new.SystemAsync<Guid>("SELECT organization_id FROM projects WHERE id = $1", other.Project)).Should().Be(Guid.Parse(organization));

        async Task RunAsync(string[] commands, ArchivedSchool school)
        {
            var folder = Directory.CreateTempSubdirectory("vtp-guide-");
            try
            {
                var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", string.Concat(commands)])
                {
                    WorkingDirectory = folder.FullName,
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
                (start.Environment["OWNER_TOKEN"], start.Environment["ORGANIZATION"], start.Environment["PROJECT"]) =
                    (school.Owner.AccessToken, school.Id.ToString(), school.Project.ToString());
                foreach (var (name, value) in settings)
                {
                    start.Environment[name] = value;
                }

                using var process = Process.Start(start)!;
                var errors = process.StandardError.ReadToEndAsync();
                var output = await process.StandardOutput.ReadToEndAsync();
                await process.WaitForExitAsync();
                process.ExitCode.Should().Be(0, output + await errors);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    private static string Guide([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../../docs/archives.md"));
}
