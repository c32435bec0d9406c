using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>What cannot be right is refused with its field, and leaves nothing behind.</summary>
public sealed class BadInputTests(TrackerApi api) : IClassFixture<TrackerApi>
{
    private static readonly string Hash = TestFile.Sha("the whole file");
    private static readonly string Chunk = TestFile.Sha("a chunk");

    public static readonly TheoryData<string, string, string> Announcements = new()
    {
        { $$"""{"name":"../../etc/passwd","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}]}""", "file.name", "file.name_refused" },
        { $$"""{"name":"a\u0000b","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}]}""", "file.name", "file.name_refused" },
        { $$"""{"name":"a\nb","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}]}""", "file.name", "file.name_refused" },
        { $$"""{"size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}]}""", "file.name", "file.name_refused" },
        { $$"""{"name":"a","size":5,"hash":"abc","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}]}""", "file.hash", "file.hash_malformed" },
        { $$"""{"name":"a","size":-5,"hash":"{{Hash}}","chunk_size":10,"chunks":[]}""", "file.size", "file.size_refused" },
        { $$"""{"name":"a","size":9223372036854775807,"hash":"{{Hash}}","chunk_size":10,"chunks":[]}""", "file.size", "file.size_refused" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":-1,"chunks":[]}""", "file.chunk_size", "file.chunk_size_refused" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":6}]}""", "file.chunks[0].size", "file.chunks_do_not_add_up" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":1,"hash":"{{Chunk}}","size":5}]}""", "file.chunks[0].index", "file.chunks_do_not_add_up" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"zz","size":5}]}""", "file.chunks[0].hash", "file.hash_malformed" },
        { $$"""{"name":"a","size":25,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":10},{"index":1,"hash":"{{Chunk}}","size":9},{"index":2,"hash":"{{Chunk}}","size":5}]}""", "file.chunks[1].size", "file.chunks_do_not_add_up" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":null}""", "file.chunks", "file.chunks_do_not_add_up" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}],"merkle_root":"{{Hash}}"}""", "file.merkle_root", "file.merkle_root_differs" },
        { $$"""{"name":"a","size":5,"hash":"{{Hash}}","chunk_size":10,"chunks":[{"index":0,"hash":"{{Chunk}}","size":5}],"merkle_root":"root"}""", "file.merkle_root", "file.hash_malformed" },
        { "null", "file", "request.invalid" },
    };

    [Theory]
    [MemberData(nameof(Announcements))]
    public async Task An_announcement_that_cannot_be_right_names_its_field_and_stores_nothing(string file, string field, string error)
    {
        var peer = await TestPeer.New(api).RegisteredAsync();

        (await peer.PostAsync("files/announce", $$"""{"peer_id":"{{peer.Id}}","file":{{file}}}""")).ShouldBeProblem(HttpStatusCode.BadRequest, error, field);

        (await api.ReadAsync($"files/{Hash}/peers")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.QueryAsync<long>("SELECT count(*) FROM tracker_files WHERE encode(hash, 'hex') = $1", Hash)).Should().Be(0);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("""{"peer_id":5}""")]
    [InlineData("""{"peer_id":"some-peer","file":[]}""")]
    [InlineData("""{"peer_id":"some-peer","file":{"size":5.0}}""")]
    [InlineData("""{"peer_id":"some-peer","file":{"size":99999999999999999999}}""")]
    [InlineData("""{"peer_id":"some-peer","file":{"chunks":{"index":0}}}""")]
    [InlineData("""{"peer_id":"some-peer","file":{"chunks":[{"index":"0"}]}}""")]
    [InlineData("""{"peer_id":"some-peer","file":{"chunks":[5]}}""")]
    [InlineData("""{"peer_id":"some-peer","peer_id":"other-peer"}""")]
    public async Task What_is_no_announcement_is_refused(string body)
    {
        var answer = await TestPeer.New(api).PostAsync("files/announce", body);

        answer.ShouldBeProblem(HttpStatusCode.BadRequest, "request.malformed_json");
    }

    [Theory]
    [InlineData("""{"peer_id":"short","ip":"","port":1}""", "peer_id")]
    [InlineData("""{"peer_id":"../../etc/passwd","ip":"","port":1}""", "peer_id")]
    [InlineData("""{"peer_id":"a peer with spaces","ip":"","port":1}""", "peer_id")]
    [InlineData("""{"ip":"","port":1}""", "peer_id")]
    [InlineData("""{"peer_id":"some-peer","ip":"","port":0}""", "port")]
    [InlineData("""{"peer_id":"some-peer","ip":"","port":65536}""", "port")]
    [InlineData("""{"peer_id":"some-peer","ip":"","port":1,"hostname":"a\u0007b"}""", "hostname")]
    [InlineData("""{"peer_id":"some-peer","ip":"evil.example","port":1}""", "ip")]
    [InlineData("""{"peer_id":"some-peer","ip":"0.0.0.0","port":1}""", "ip")]
    [InlineData("""{"peer_id":"some-peer","ip":"224.0.0.1","port":1}""", "ip")]
    [InlineData("""{"peer_id":"some-peer","ip":"203.0.113.1:80","port":1}""", "ip")]
    public async Task A_registration_that_cannot_be_right_names_its_field(string body, string field)
    {
        var answer = await TestPeer.New(api).PostAsync("peers/register", body);

        answer.ShouldBeProblem(HttpStatusCode.BadRequest, field == "ip" ? "peer.address_refused" : "request.invalid", field);
    }

    [Fact]
    public async Task Old_names_of_fields_are_read()
    {
        var id = Guid.NewGuid();

        (await TestPeer.New(api).PostAsync("peers/register", $$"""{"id":"{{id}}","ip":"","port":6881}""")).Status.Should().Be(HttpStatusCode.OK);
        (await TestPeer.New(api).PostAsync("peers/heartbeat", $$"""{"peerId":"{{id}}","files_sharing":[]}"""))["registered"].Should().Be("True");
    }

    [Fact]
    public async Task Reports_that_are_negative_or_absurd_are_refused()
    {
        var peer = await TestPeer.New(api).RegisteredAsync();

        (await peer.ReportAsync(-1, 0)).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "bytes_uploaded");
        (await peer.ReportAsync(0, long.MaxValue)).ShouldBeProblem(HttpStatusCode.BadRequest, "request.invalid", "bytes_downloaded");
        (await peer.PostAsync("peers/heartbeat", $$"""{"peer_id":"{{peer.Id}}","files_hashes":["abc"]}""")).ShouldBeProblem(HttpStatusCode.BadRequest, "file.hash_malformed", "files_hashes[0]");
    }

    [Fact]
    public async Task Who_has_not_registered_cannot_announce()
    {
        var file = TestFile.New();

        (await TestPeer.New(api).AnnounceAsync(file)).ShouldBeProblem(HttpStatusCode.NotFound, "peer.not_registered");

        (await api.ReadAsync($"files/{file.Hash}/peers")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
    }

    [Fact]
    public async Task An_announcement_of_forty_three_megabytes_goes_through_and_more_chunks_than_there_may_be_do_not()
    {
        var peer = await TestPeer.New(api).RegisteredAsync();
        var chunks = Enumerable.Repeat(Chunk, 409_600).ToArray(); // A hundred GiB in the peers' own chunks.
        var file = new TestFile("hundred.bin", 409_600L * 262_144, 262_144, TestFile.Sha("hundred"), chunks);

        (await StreamAsync(file.Announcement(peer.Id))).Should().Be(HttpStatusCode.OK);
        var found = (await peer.GetAsync($"files/{file.Hash}/peers?limit=1")).Body;
        (found.GetProperty("chunks").GetArrayLength(), found.GetProperty("peers")[0].GetProperty("chunks_available").GetRawText()).Should().Be((409_600, "[]"));

        var endless = Enumerable.Range(0, 600_000).Select(index => $$"""{"index":{{index}},"hash":"{{Chunk}}","size":1}""");
        (await peer.PostAsync("files/announce", $$$"""{"peer_id":"{{{peer.Id}}}","file":{"name":"a","size":600000,"hash":"{{{Hash}}}","chunk_size":1,"chunks":[{{{string.Join(',', endless)}}}]}}"""))
            .ShouldBeProblem(HttpStatusCode.BadRequest, "file.too_many_chunks", "file.chunks");

        async Task<HttpStatusCode> StreamAsync(string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/files/announce") { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
            request.Headers.Add("X-API-Key", TrackerApi.PeerKey);
            using var response = await api.Http.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task A_body_that_nobody_may_send_is_not_read()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/files/announce") { Content = new StringContent(new string(' ', 1_000_000), Encoding.UTF8, "application/json") };

        using var response = await api.Http.SendAsync(request);

        response.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }
}
