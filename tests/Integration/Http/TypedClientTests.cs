using System.Diagnostics;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>A server whose new signing keys sign at once.</summary>
public sealed class PromptKeysApi : VtpApi
{
    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("Tokens:KeyAnnouncement", "00:00:00")];
}

public sealed class TypedClientTests(PromptKeysApi api) : IClassFixture<PromptKeysApi>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_client_generated_from_the_document_compiles_strictly_and_gets_along_with_the_server()
    {
        var clients = Path.Combine(Repository(), "tests", "clients");
        var modules = Path.Combine(clients, "node_modules");
        Directory.Exists(modules).Should().BeTrue("the clients' packages must be installed first, by build/test or by 'npm ci --prefix tests/clients'");
        var administrator = await api.RegisterAdministratorAsync();

        var work = Directory.CreateTempSubdirectory("vtp-client-");
        try
        {
            var document = Path.Combine(work.FullName, "v1.json");
            await File.WriteAllTextAsync(document, await api.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)));
            Directory.CreateSymbolicLink(Path.Combine(work.FullName, "node_modules"), modules);
            var sources = work.CreateSubdirectory("src");
            foreach (var file in Directory.EnumerateFiles(Path.Combine(clients, "src"), "*.ts"))
            {
                File.Copy(file, Path.Combine(sources.FullName, Path.GetFileName(file)));
            }

            foreach (var name in new[] { "package.json", "tsconfig.json" })
            {
                File.Copy(Path.Combine(clients, name), Path.Combine(work.FullName, name));
            }

            await RunAsync(work, "node_modules/.bin/openapi-typescript", "v1.json", "--output", "src/schema.d.ts");
            await RunAsync(work, "node_modules/.bin/tsc", "--project", ".");
            (await RunAsync(work, "node", "out/client.js")).Should().Contain("The typed client is content.");
        }
        finally
        {
            work.Delete(recursive: true);
        }

        async Task<string> RunAsync(DirectoryInfo folder, string program, params string[] arguments)
        {
            var start = new ProcessStartInfo(program.Contains('/') ? Path.Combine(folder.FullName, program) : program, arguments)
            {
                WorkingDirectory = folder.FullName,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["VTP_URL"] = api.Url.ToString();
            start.Environment["VTP_ADMIN_TOKEN"] = administrator.AccessToken;
            using var process = Process.Start(start)!;
            using var deadline = new CancellationTokenSource(Patience);
            using var kill = deadline.Token.Register(() => process.Kill(entireProcessTree: true));
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            var said = await output + await errors;
            process.ExitCode.Should().Be(0, "{0} said: {1}", program, said);
            return said;
        }
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vtp.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
