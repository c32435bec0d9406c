using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Vtp.Benchmarks;

/// <summary>An organization with a project, made over HTTP as a client does; or a project more of one that is there.</summary>
internal sealed record BenchProject(Guid Organization, Guid Id, string Secret)
{
    public static async Task<BenchProject> CreateAsync(Uri vtp, Person owner, CancellationToken ct, Guid? within = null)
    {
        using var http = new HttpClient { BaseAddress = vtp, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", owner.AccessToken) } };
        var organization = within ?? (await PostAsync("/api/v1/organizations", new { name = "Bench School", admin_email = $"{Guid.NewGuid():N}@bench.example" })).GetProperty("id").GetGuid();
        var created = await PostAsync($"/api/v1/projects?org_id={organization}", new { name = "Bench", region = "eu-west" });
        return new BenchProject(organization, created.GetProperty("project").GetProperty("id").GetGuid(), created.GetProperty("api_secret").GetString()!);

        async Task<JsonElement> PostAsync(string path, object body)
        {
            using var answer = await http.PostAsJsonAsync(path, body, ct);
            answer.EnsureSuccessStatusCode();
            return await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
        }
    }
}
