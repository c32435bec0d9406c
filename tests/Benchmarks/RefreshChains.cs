using System.Net.Http.Json;
using System.Text.Json;

namespace Vtp.Benchmarks;

/// <summary>
/// 64 families of refresh tokens, each worker following its own: every request sends what the one before answered. wrk
/// cannot, and sending one token again within its grace would measure another path.
/// </summary>
internal sealed class RefreshChains(Uri vtp, Person[] people) : IDisposable
{
    private readonly string[] _tokens = [.. people.Select(person => person.RefreshToken)];
    private readonly HttpClient _http = new() { BaseAddress = vtp };

    public Task<Load> RunAsync(TimeSpan duration, CancellationToken ct) => Load.ChainsAsync(RefreshAsync, duration, ct);

    public void Dispose() => _http.Dispose();

    private async Task<bool> RefreshAsync(int worker, CancellationToken ct)
    {
        using var answer = await _http.PostAsJsonAsync("/api/v1/auth/refresh", new { refresh_token = _tokens[worker] }, ct);
        if (!answer.IsSuccessStatusCode)
        {
            return false;
        }

        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
        _tokens[worker] = body.GetProperty("refresh_token").GetString()!;
        return true;
    }
}
