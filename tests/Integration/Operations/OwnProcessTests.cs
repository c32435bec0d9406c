using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Vtp.Integration.Fixture;
using Vtp.Integration.Startup;

namespace Vtp.Integration.Operations;

/// <summary>A server in a process of its own: a thousand tests leave more on a heap than one stream carries, and share the meters of a process.</summary>
public sealed class OwnProcessTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    [Fact]
    public async Task A_heap_profile_counts_what_the_collector_counts_and_the_pool_is_that_of_the_setting()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        await using var server = await RealServer.ServeAsync(folder, environment: [("ConnectionStrings__Vtp", database)]);
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", await AdministratorAsync(server, database));

        var heap = JsonSerializer.Deserialize<JsonElement>(await ReadAsync(server, "/debug/pprof/heap"));

        heap.GetProperty("lost").GetInt32().Should().Be(0);
        var types = heap.GetProperty("types").EnumerateArray().ToList();
        var text = types.Single(type => type.GetProperty("type").GetString() == "System.String");
        text.GetProperty("objects").GetInt64().Should().BeGreaterThan(10_000);
        text.GetProperty("bytes").GetInt64().Should().BeGreaterThan(22 * text.GetProperty("objects").GetInt64(), "the smallest one has a header, a type, a length and its end");
        types.Sum(type => type.GetProperty("bytes").GetInt64()).Should().BeLessThanOrEqualTo(heap.GetProperty("bytes").GetInt64());

        // The collector's figure holds what is free between objects too, and what has come since.
        var collected = Regex.Matches(await ReadAsync(server, "/metrics"), @"^dotnet_gc_last_collection_heap_size_bytes\{[^}]*\} (?<bytes>\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Sum(line => double.Parse(line.Groups["bytes"].Value, CultureInfo.InvariantCulture));
        heap.GetProperty("bytes").GetDouble().Should().BeInRange(0.5 * collected, 1.1 * collected);

        var pool = JsonSerializer.Deserialize<JsonElement>(await ReadAsync(server, "/api/performance/metrics")).GetProperty("database").GetProperty("connection_pool");
        pool.GetProperty("max").GetInt64().Should().Be(new NpgsqlConnectionStringBuilder(database).MaxPoolSize, "two pools share it");
    }

    private static async Task<string> AdministratorAsync(RealServer server, string database)
    {
        var person = new { email = Intents.NewAddress(), full_name = "Noor Example", password = Intents.GoodPassword };
        (await server.PostAsync("auth/register", person)).Status.Should().Be(HttpStatusCode.Created);
        await using (var source = NpgsqlDataSource.Create(database))
        await using (var promote = source.CreateCommand("UPDATE accounts SET role = 'admin'"))
        {
            await promote.ExecuteNonQueryAsync();
        }

        return (await server.PostAsync("auth/login", new { person.email, person.password })).Body.GetProperty("access_token").GetString()!;
    }

    private static async Task<string> ReadAsync(RealServer server, string path)
    {
        using var response = await server.Http.GetAsync(new Uri(path, UriKind.Relative));
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.Should().Be(HttpStatusCode.OK, text);
        return text;
    }
}
