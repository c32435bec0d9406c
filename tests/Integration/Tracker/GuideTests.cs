using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Vtp.Integration.Tracker;

/// <summary>The peer of docs/tracker.md does what the guide says.</summary>
public sealed class GuideTests(TrackerApi api) : IClassFixture<TrackerApi>
{
    [Fact]
    public async Task The_example_shares_a_file()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("vtp-guide-").FullName, "lesson 1.mp4");
        await File.WriteAllBytesAsync(file, new byte[600_000]);
        var info = new ProcessStartInfo("python3", [Script(), api.Url.GetLeftPart(UriPartial.Authority), TrackerApi.PeerKey, file]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(info)!;
        var (output, errors) = (await process.StandardOutput.ReadToEndAsync(), await process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);

        errors.Should().BeEmpty();
        output.Split('\n')[..4].Should().Equal("Registered at 127.0.0.1:6881.", "Announced.", "next heartbeat in 30 s", "lesson 1.mp4 in 3 chunks at 127.0.0.1:6881");
        output.Should().Contain("magnet:?xt=urn:sha256:").And.EndWith("left\n");
    }

    private static string Script([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../../docs/examples/share-a-file.py"));
}
