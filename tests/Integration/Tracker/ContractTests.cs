using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>Every route as the peers of the field call it, with the installation's own keys.</summary>
public sealed class ContractTests(TrackerApi api) : IClassFixture<TrackerApi>
{
    [Fact]
    public async Task A_peer_shares_a_file_and_another_one_finds_it()
    {
        var (file, seeder) = (TestFile.New("a & b.bin"), TestPeer.New(api));

        var registered = await seeder.RegisterAsync();
        Fields(registered).Should().Equal("success", "message", "ip", "port");
        var announced = await seeder.AnnounceAsync(file);
        (announced["success"], announced["file_id"]).Should().Be(("True", file.Hash));
        var heartbeat = await seeder.HeartbeatAsync(file);
        (heartbeat["success"], heartbeat["next_heartbeat_in"], heartbeat["registered"]).Should().Be(("True", "30", "True"));

        var found = (await api.ReadAsync($"files/{file.Hash}/peers")).Body;
        found.GetRawText().Should().StartWith(
            $$"""{"file_hash":"{{file.Hash}}","file_name":"a & b.bin","file_size":600000,"chunk_count":3,"chunk_size":262144,"chunks":[{"index":0,"hash":"{{file.Chunks[0]}}","size":262144},""");
        found.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetProperty("size").GetInt32()).Should().Equal(262144, 262144, 75712);
        found.GetProperty("peers").GetRawText().Should().Be(
            $$"""[{"peer_id":"{{seeder.Id}}","ip":"127.0.0.1","port":6881,"hostname":"","chunks_available":[0,1,2],"is_seeder":true}]""");
    }

    [Fact]
    public async Task An_empty_file_has_no_chunks()
    {
        var seeder = await TestPeer.New(api).RegisteredAsync();
        var file = TestFile.New("empty.txt", size: 0);

        await seeder.SharesAsync(file);

        (await api.ReadAsync($"files/{file.Hash}/peers")).Body.GetProperty("chunks").GetRawText().Should().Be("[]");
    }

    [Fact]
    public async Task Files_are_listed_searched_and_sorted_into_categories_in_pages()
    {
        var seeder = await TestPeer.New(api).RegisteredAsync();
        var word = Guid.NewGuid().ToString("N")[..8];
        await seeder.SharesAsync([.. Enumerable.Range(0, 5).Select(number => TestFile.New($"{word} {number}.flac"))]);

        var all = (await api.ReadAsync("files")).Body.GetProperty("files").EnumerateArray().First();
        all.EnumerateObject().Select(field => field.Name).Should().Equal("hash", "name", "size", "seeders", "leechers", "added_at");
        (all.GetProperty("name").GetString(), all.GetProperty("seeders").GetInt32(), all.GetProperty("size").GetRawText()).Should().Be(($"{word} 4.flac", 1, "600000"), "the newest is first");
        all.GetProperty("added_at").GetString().Should().EndWith("Z");

        var found = await api.ReadAsync($"files/search?q={word.ToUpperInvariant()}&page=2&limit=2");
        (found["query"], found["count"], found["total"]).Should().Be((word.ToUpperInvariant(), "2", "5"));
        found.Body.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("name").GetString()).Should().Equal($"{word} 2.flac", $"{word} 1.flac");
        (await api.ReadAsync("files/search?q=nothing-is-called-that")).Body.GetProperty("files").GetRawText().Should().Be("[]");
        (await api.ReadAsync("files/search")).ShouldBeProblem(HttpStatusCode.BadRequest, "search.text_missing", "q");

        var audio = (await api.ReadAsync("categories")).Body.GetProperty("categories").EnumerateArray().Single(one => one.GetProperty("category").GetString() == "audio");
        audio.GetProperty("file_count").GetInt32().Should().BeGreaterThan(4);
        audio.GetProperty("total_size").GetInt64().Should().BeGreaterThan(4 * 600_000);
        (await api.ReadAsync("categories/AUDIO/files"))["category"].Should().Be("audio");
        (await api.ReadAsync("categories/poetry/files"))["count"].Should().Be("0");
        (await api.ReadAsync("files?page=2000&limit=1000")).Body.GetProperty("files").GetRawText().Should().Be("[]");
    }

    [Fact]
    public async Task Magnets_are_encoded_and_read_again()
    {
        var seeder = await TestPeer.New(api).RegisteredAsync();
        var file = TestFile.New("a & b + c; d.mp4");
        await seeder.SharesAsync(file);

        var made = await api.ReadAsync($"files/{file.Hash}/magnet");
        made["magnet"].Should().Be(
            $"magnet:?xt=urn:sha256:{file.Hash}&dn=a%20%26%20b%20%2B%20c%3B%20d.mp4&xl=600000&tr={Uri.EscapeDataString(api.Url.GetLeftPart(UriPartial.Authority))}&x.cs=262144&x.tc=3");
        Fields(made).Should().Equal("magnet", "file", "seeder_count");
        made.Body.GetProperty("file").EnumerateObject().Select(field => field.Name)
            .Should().Equal("id", "hash", "name", "size", "chunk_size", "chunks", "category", "added_at", "added_by");

        var read = await api.ReadAsync($"magnet?uri={Uri.EscapeDataString(made["magnet"])}");
        (read["info_hash"], read["display_name"], read["size"], read["exists"], read["seeder_count"]).Should().Be((file.Hash, file.Name, "600000", "True", "1"));
        read.Body.GetProperty("file").GetProperty("chunks").GetArrayLength().Should().Be(3);

        var unknown = await api.ReadAsync($"magnet?uri={Uri.EscapeDataString($"magnet:?xt=urn:sha256:{TestFile.Sha("unknown")}&dn=x")}");
        Fields(unknown).Should().Equal("info_hash", "display_name", "size", "trackers", "exists");
        (await api.ReadAsync("magnet")).ShouldBeProblem(HttpStatusCode.BadRequest, "magnet.malformed", "uri");
        (await api.ReadAsync("magnet?uri=http%3A%2F%2Fx")).ShouldBeProblem(HttpStatusCode.BadRequest, "magnet.malformed", "uri");
        (await api.ReadAsync($"files/{TestFile.Sha("unknown")}/magnet")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.ReadAsync("files/abc/peers")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
    }

    [Fact]
    public async Task What_peers_report_adds_up_and_decides_who_is_best()
    {
        var (giver, taker) = (await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());

        (await giver.ReportAsync(3_000_000_000, 500_000_000))["success"].Should().Be("True");
        (await giver.ReportAsync(1_000_000_000, 500_000_000)).Status.Should().Be(HttpStatusCode.OK);
        (await taker.ReportAsync(0, 1_000_000)).Status.Should().Be(HttpStatusCode.OK);
        (await TestPeer.New(api).ReportAsync(1, 1)).Status.Should().Be(HttpStatusCode.OK, "a peer that nobody knows reports to nobody");

        // The order is kept for a moment.
        JsonElement[] top = [];
        await VtpApi.UntilAsync(
            async () =>
            {
                api.Clock.Advance(TimeSpan.FromSeconds(3));
                top = [.. (await api.ReadAsync("peers/top?limit=100")).Body.GetProperty("peers").EnumerateArray()];
                return top.Any(peer => peer.GetProperty("id").GetString() == taker.Id);
            },
            "the order to be made anew");
        var best = top.Single(peer => peer.GetProperty("id").GetString() == giver.Id);
        best.EnumerateObject().Select(field => field.Name).Should().Equal("id", "hostname", "reputation", "bytes_uploaded", "bytes_downloaded", "files_shared", "ratio");
        (best.GetProperty("bytes_uploaded").GetInt64(), best.GetProperty("ratio").GetDouble()).Should().Be((4_000_000_000, 4));
        Array.IndexOf(top, best).Should().BeLessThan(Array.FindIndex(top, peer => peer.GetProperty("id").GetString() == taker.Id));
        (await api.ReadAsync("peers/top?limit=many"))["count"].Should().Match(count => int.Parse(count, System.Globalization.CultureInfo.InvariantCulture) <= 10);
    }

    [Fact]
    public async Task A_peer_that_leaves_is_gone_and_one_that_is_not_known_has_left_already()
    {
        var (file, one, other) = (TestFile.New(), await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());
        await one.SharesAsync(file);
        await other.SharesAsync(file);

        (await one.LeaveAsync()).Text.Should().Be("""{"success":true}""");
        (await one.LeaveAsync()).Text.Should().Be("""{"success":true}""");

        (await other.HoldersOfAsync(file)).Should().Equal(other.Id);
        (await one.HeartbeatAsync(file))["registered"].Should().Be("False", "it must register again");
        (await other.HoldersOfAsync(file)).Should().Equal(other.Id);
        (await api.EventsAsync(one.Id, 2)).Should().Equal("tracker.peer_joined", "tracker.peer_left");
        (await api.EventsAsync(file.Hash, 1)).Should().Equal("tracker.file_added");
    }

    [Fact]
    public async Task Administrators_see_peers_and_remove_peers_and_files()
    {
        var (file, peer) = (TestFile.New(), TestPeer.New(api));
        (await peer.RegisterAsync(more: ""","hostname":"classroom 4" """)).Status.Should().Be(HttpStatusCode.OK);
        await peer.SharesAsync(file);

        var seen = (await api.ReadAsync("admin/peers", TrackerApi.AdminKey)).Body.GetProperty("peers").EnumerateArray().Single(one => one.GetProperty("id").GetString() == peer.Id);
        seen.EnumerateObject().Select(field => field.Name).Take(7).Should().Equal("id", "ip", "port", "hostname", "is_online", "registered_at", "last_seen");
        seen.GetProperty("hostname").GetString().Should().Be("classroom 4");
        seen.GetProperty("last_seen").GetString().Should().MatchRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$");

        (await api.RemoveAsync($"admin/files/{file.Hash}")).Text.Should().Be($$"""{"message":"File removed","hash":"{{file.Hash}}"}""");
        (await api.RemoveAsync($"admin/files/{file.Hash}")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.ReadAsync($"files/{file.Hash}/peers")).ShouldBeProblem(HttpStatusCode.NotFound, "file.not_found");
        (await api.RemoveAsync($"admin/peers/{peer.Id}")).Text.Should().Be($$"""{"message":"Peer removed","peer_id":"{{peer.Id}}"}""");
        (await api.RemoveAsync($"admin/peers/{peer.Id}")).ShouldBeProblem(HttpStatusCode.NotFound, "peer.not_found");

        (await api.EventsAsync(file.Hash, 2)).Should().Equal("tracker.file_added", "tracker.file_removed");
        (await api.QueryAsync<string>("SELECT data ->> 'reason' FROM events WHERE subject = $1 AND type = 'tracker.peer_left'", peer.Id)).Should().Be("removed");
        (await api.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE target_name IN ($1, $2) AND actor_type = 'key'", peer.Id, file.Hash)).Should().Be(4, "two did it, two were refused");
    }

    [Fact]
    public async Task A_hundred_announcements_of_one_file_at_once_add_it_once()
    {
        var file = TestFile.New();
        var peers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => TestPeer.New(api).RegisteredAsync()));

        var answers = await Task.WhenAll(peers.Concat(peers).Select(peer => peer.AnnounceAsync(file)));

        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        (await peers[0].HoldersOfAsync(file)).Should().Equal(peers.Select(peer => peer.Id).Order(StringComparer.Ordinal));
        (await api.EventsAsync(file.Hash, 1)).Should().Equal("tracker.file_added");
        (await api.QueryAsync<long>("SELECT count(*) FROM tracker_members JOIN tracker_files ON id = file WHERE encode(hash, 'hex') = $1", file.Hash)).Should().Be(50);
    }

    [Fact]
    public async Task Of_two_contents_under_one_hash_the_first_stands_and_the_name_too()
    {
        var (one, other) = (await TestPeer.New(api).RegisteredAsync(), await TestPeer.New(api).RegisteredAsync());
        var file = TestFile.New("first.mp4");
        var poison = file with { Chunks = [TestFile.Sha("poison"), .. file.Chunks.Skip(1)] };

        var answers = await Task.WhenAll(one.AnnounceAsync(file), one.AnnounceAsync(poison));
        answers.Select(answer => answer.Status).Order().Should().Equal(HttpStatusCode.OK, HttpStatusCode.Conflict);
        answers.Single(answer => answer.Status == HttpStatusCode.Conflict).ShouldBeProblem(HttpStatusCode.Conflict, "file.content_differs");

        var second = TestFile.New("first.mp4");
        await one.SharesAsync(second);
        (await other.AnnounceAsync(second with { Size = 600_001 })).ShouldBeProblem(HttpStatusCode.Conflict, "file.content_differs");
        (await other.AnnounceAsync(second with { Size = 600_001 }))["message"].Should().Contain("600000 bytes, not 600001");
        (await other.AnnounceAsync(second with { Name = "second.mp4" }))["message"].Should().Be("Announced; it is listed as first.mp4.");
        (await other.HoldersOfAsync(second)).Should().BeEquivalentTo([one.Id, other.Id]);
        (await api.ReadAsync($"files/{second.Hash}/peers"))["file_name"].Should().Be("first.mp4");
    }

    [Fact]
    public async Task Of_many_holders_so_many_as_are_asked_for_are_told_by_chance()
    {
        var file = TestFile.New();
        var peers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => TestPeer.New(api).RegisteredAsync()));
        await Task.WhenAll(peers.Select(peer => peer.SharesAsync(file)));

        var told = new HashSet<string>(StringComparer.Ordinal);
        for (var asked = 0; told.Count < 60; asked++)
        {
            asked.Should().BeLessThan(5000, "everybody is told of in the end");
            var some = (await api.ReadAsync($"files/{file.Hash}/peers?limit=7")).Body.GetProperty("peers").EnumerateArray().Select(peer => peer.GetProperty("peer_id").GetString()!).ToList();
            some.Should().HaveCount(7).And.OnlyHaveUniqueItems();
            told.UnionWith(some);
        }

        (await api.ReadAsync($"files/{file.Hash}/peers")).Body.GetProperty("peers").GetArrayLength().Should().Be(50);
    }

    [Fact]
    public async Task A_large_answer_is_zipped_for_those_who_take_it_and_the_same()
    {
        var seeder = await TestPeer.New(api).RegisteredAsync();
        var file = TestFile.New(size: 1000L * 262_144);
        await seeder.SharesAsync(file);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/files/{file.Hash}/peers");
        request.Headers.AcceptEncoding.ParseAdd("gzip");

        using var response = await api.Http.SendAsync(request);

        response.Content.Headers.ContentEncoding.Should().Equal("gzip");
        await using var zipped = new System.IO.Compression.GZipStream(await response.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        using var text = new StreamReader(zipped);
        (await text.ReadToEndAsync()).Should().Be((await api.ReadAsync($"files/{file.Hash}/peers")).Text);
    }

    private static IEnumerable<string> Fields(Answer answer) => answer.Body.EnumerateObject().Select(field => field.Name);
}
