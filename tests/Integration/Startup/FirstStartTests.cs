using System.Net;
using System.Text.RegularExpressions;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

public sealed class FirstStartTests
{
    [Fact]
    public async Task From_nothing_it_serves_and_prints_a_link_with_which_ten_parallel_posts_make_one_administrator()
    {
        await using var folder = new VtpFolder();
        const string email = "head@school.example";
        await using (var server = await RealServer.ServeAsync(folder))
        {
            server.Errors.Should().BeEmpty();
            server.Output.Should().Contain($"Swagger: {server.Http.BaseAddress}swagger").And.Contain($"{server.Http.BaseAddress}setup?token=");

            // Found beside the program, though it was started in the root folder: without it the framework would say more.
            server.Output.Should().NotContain("Microsoft.Hosting.Lifetime");
            (await server.Http.GetAsync("/swagger/index.html")).StatusCode.Should().Be(HttpStatusCode.OK);
            (await server.Http.GetAsync("/health/ready")).StatusCode.Should().Be(HttpStatusCode.OK);
            (await folder.QueryAsync<string>("SELECT email FROM accounts")).Should().BeEmpty("there is no default account");

            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => server.PostAsync(
                "setup", new { token = server.SetupToken, email, full_name = "Head Example", password = Intents.GoodPassword })));

            answers.Count(answer => answer.Status == HttpStatusCode.Created).Should().Be(1);
            (await folder.QueryAsync<string>("SELECT role FROM accounts")).Should().Equal("admin");
            await server.SignalAsync("TERM");
            (await server.ExitAsync()).Should().Be(0);
        }

        // A Redis that is not there is no reason not to start.
        await using (var server = await RealServer.ServeAsync(folder, environment: [("ConnectionStrings__Redis", "localhost:1")]))
        {
            server.SetupToken.Should().BeNull();
            (await server.SignInAsync(email, Intents.GoodPassword)).Should().Be(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Demo_accounts_can_sign_in_after_each_start_until_reset_empties_the_database()
    {
        await using var folder = new VtpFolder();
        string first;
        await using (var server = await RealServer.ServeAsync(folder, ["--demo"]))
        {
            first = await SignInDemoAccountsAsync(server);
            await server.SignalAsync("INT");
            await server.ExitAsync();
        }

        await using (var server = await RealServer.ServeAsync(folder, ["--demo"]))
        {
            (await SignInDemoAccountsAsync(server)).Should().Be(first);
            await server.SignalAsync("INT");
            await server.ExitAsync();
        }

        await using (var server = await RealServer.ServeAsync(folder, ["--reset"]))
        {
            (await folder.QueryAsync<string>("SELECT email FROM accounts")).Should().BeEmpty();
            server.SetupToken.Should().NotBeNull();
            server.Output.Should().NotContain("@demo.example");
        }
    }

    private static async Task<string> SignInDemoAccountsAsync(RealServer server)
    {
        var accounts = Regex.Matches(server.Output, @"^(?<role>\w+) +(?<email>\S+@demo\.example) +(?<password>\S+)$", RegexOptions.Multiline, TimeSpan.FromSeconds(1));
        accounts.Select(account => account.Groups["role"].Value).Should().BeEquivalentTo("Admin", "Teacher", "Student", "Student");
        foreach (Match account in accounts)
        {
            (await server.SignInAsync(account.Groups["email"].Value, account.Groups["password"].Value)).Should().Be(HttpStatusCode.OK);
        }

        var key = Regex.Match(server.Output, @"(?<=X-API-Key: )\S+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/projects") { Headers = { { "X-API-Key", key } } };
        using var projects = await server.Http.SendAsync(request);
        (await projects.Content.ReadAsStringAsync()).Should().Contain("Demo classes");
        return string.Join('\n', [.. accounts.Select(account => account.Value), key]);
    }
}
