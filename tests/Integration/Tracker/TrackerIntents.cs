using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Tracker;

/// <summary>A server with the installation's own keys for its tracker, as a quick start has them.</summary>
public class TrackerApi : VtpApi
{
    public const string PeerKey = "a-key-of-peers";
    public const string OtherPeerKey = "another-key-of-peers";
    public const string AdminKey = "the-key-of-an-administrator";

    protected override IEnumerable<KeyValuePair<string, string>> Settings => [new("API_KEYS", $" {PeerKey}, ,{OtherPeerKey},admin={AdminKey},")];
}

/// <summary>A file as a peer would hash it: of chunks whose content is their number and a word.</summary>
public sealed record TestFile(string Name, long Size, int ChunkSize, string Hash, IReadOnlyList<string> Chunks)
{
    private static int s_files;

    public static TestFile New(string? name = null, long size = 600_000, int chunkSize = 262_144)
    {
        var number = Interlocked.Increment(ref s_files);
        var count = (int)((size + chunkSize - 1) / chunkSize);
        return new TestFile(name ?? $"lesson {number}.mp4", size, chunkSize, Sha($"file {number} {Guid.NewGuid()}"), [.. Enumerable.Range(0, count).Select(index => Sha($"chunk {number} {index}"))]);
    }

    /// <summary>As the peer in the field sends it, byte for byte.</summary>
    public string Announcement(string peerId)
    {
        var text = new StringBuilder($$"""{"peer_id":"{{peerId}}","file":{"name":{{JsonSerializer.Serialize(Name)}},"size":{{Size}},"hash":"{{Hash}}","chunk_size":{{ChunkSize}},"chunks":""");
        if (Chunks.Count == 0)
        {
            return text.Append("null}}").ToString();
        }

        for (var index = 0; index < Chunks.Count; index++)
        {
            var size = Math.Min(ChunkSize, Size - ((long)index * ChunkSize));
            text.Append(CultureInfo.InvariantCulture, $$"""{{(index == 0 ? '[' : ',')}}{"index":{{index}},"hash":"{{Chunks[index]}}","size":{{size}}}""");
        }

        return text.Append(CultureInfo.InvariantCulture, $$$"""],"merkle_root":"{{{Root()}}}"}}""").ToString();
    }

    public string Root()
    {
        var level = Chunks.Select(Convert.FromHexString).ToList();
        while (level.Count > 1)
        {
            level = [.. level.Chunk(2).Select(pair => SHA256.HashData([.. pair[0], .. pair[^1]]))];
        }

        return Convert.ToHexStringLower(level[0]);
    }

    public static string Sha(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>A peer of the field: a new UUID at each start, and one key.</summary>
public sealed record TestPeer(VtpApi Api, string Key, string Id)
{
    public static TestPeer New(VtpApi api, string key = TrackerApi.PeerKey) => new(api, key, Guid.NewGuid().ToString());

    public Task<Answer> RegisterAsync(string ip = "127.0.0.1", int port = 6881, string more = "") =>
        PostAsync("peers/register", $$"""{"peer_id":"{{Id}}","ip":"{{ip}}","port":{{port}}{{more}}}""");

    public async Task<TestPeer> RegisteredAsync()
    {
        var answer = await RegisterAsync();
        answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        return this;
    }

    public Task<Answer> HeartbeatAsync(params TestFile[] files) => PostAsync(
        "peers/heartbeat", $$"""{"peer_id":"{{Id}}","files_hashes":{{(files.Length == 0 ? "null" : JsonSerializer.Serialize(files.Select(file => file.Hash)))}}}""");

    public Task<Answer> AnnounceAsync(TestFile file) => PostAsync("files/announce", file.Announcement(Id));

    public async Task<TestPeer> SharesAsync(params TestFile[] files)
    {
        foreach (var file in files)
        {
            var answer = await AnnounceAsync(file);
            answer.Status.Should().Be(HttpStatusCode.OK, answer.Text);
        }

        return this;
    }

    public Task<Answer> ReportAsync(long uploaded, long downloaded) =>
        PostAsync("peers/stats", $$"""{"peer_id":"{{Id}}","bytes_uploaded":{{uploaded}},"bytes_downloaded":{{downloaded}}}""");

    public Task<Answer> LeaveAsync() => Api.SendAsync(HttpMethod.Delete, $"/api/peers/{Id}", null, null, ("X-API-Key", Key));

    public Task<Answer> PostAsync(string path, string body) => Api.SendAsync(HttpMethod.Post, $"/api/{path}", body, null, ("X-API-Key", Key));

    public Task<Answer> GetAsync(string path) => Api.ReadAsync(path, Key);

    /// <summary>Who has it, as this peer is told.</summary>
    public async Task<string[]> HoldersOfAsync(TestFile file) => Ids(await GetAsync($"files/{file.Hash}/peers"));

    private static string[] Ids(Answer answer) => answer.Status == HttpStatusCode.OK
        ? [.. answer.Body.GetProperty("peers").EnumerateArray().Select(peer => peer.GetProperty("peer_id").GetString()!).Order(StringComparer.Ordinal)]
        : [answer.Error];
}

internal static class TrackerIntents
{
    /// <param name="key">Null for nobody.</param>
    public static Task<Answer> ReadAsync(this VtpApi api, string path, string? key = null) =>
        api.SendAsync(HttpMethod.Get, $"/api/{path}", null, null, key is null ? [] : [("X-API-Key", key)]);

    public static Task<Answer> RemoveAsync(this VtpApi api, string path, string? key = TrackerApi.AdminKey) =>
        api.SendAsync(HttpMethod.Delete, $"/api/{path}", null, null, key is null ? [] : [("X-API-Key", key)]);

    public static async Task<string> TrackerKeyAsync(this School school, SchoolProject project, string role)
    {
        var answer = await school.Owner.PostAsync($"{project.Path}/keys", new { name = $"The key of a {role}", scopes = new[] { "events:read" }, role });
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        return answer["key"];
    }

    /// <summary>Types and subjects of what happened in a project, oldest first, once the last of them is there.</summary>
    public static async Task<string[]> EventsAsync(this VtpApi api, string subject, int atLeast)
    {
        string[] found = [];
        await VtpApi.UntilAsync(
            async () =>
            {
                found = await api.QueryAsync<string[]>("SELECT coalesce(array_agg(type ORDER BY sequence), '{}') FROM events WHERE subject = $1", subject) ?? [];
                return found.Length >= atLeast;
            },
            $"{atLeast} events of {subject}");
        return found;
    }
}
