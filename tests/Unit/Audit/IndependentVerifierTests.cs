using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vtp.Domain.Audit;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Audit;

/// <summary>The script of docs/audit-proof.md shares no line with VTP, and comes to the same verdicts.</summary>
public sealed class IndependentVerifierTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vtp-audit-");

    public static TheoryData<string> Tamperings => [.. Tampering.All.Keys];

    [Fact]
    public async Task It_finds_nothing_in_a_genuine_export()
    {
        using var export = SignedExport.New();

        var (exit, output) = await VerifyAsync(export, export.Jwks, export.Checkpoints.ConvertAll(checkpoint => checkpoint.Jws));

        output.Should().Be("Checked 170 entries up to 200 and 11 checkpoints; 0 entries are covered by none.\n");
        exit.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Tamperings))]
    public async Task It_finds_what_was_tampered_with(string name)
    {
        var tampering = Tampering.All[name];
        using var export = SignedExport.New();
        var kept = tampering.KeepsCheckpoints ? export.Checkpoints.ConvertAll(checkpoint => checkpoint.Jws) : null;
        tampering.Do(export);

        var (exit, output) = await VerifyAsync(export, export.Jwks, kept);

        exit.Should().Be(1, output);
        output.Should().StartWith("Finding: ");
    }

    [Theory]
    [InlineData("{\"type\":\"entry\",\"seq")]
    [InlineData("{\"type\":\"entry\",\"action\":\"a\",\"action\":\"b\"}")]
    public async Task It_says_which_line_it_cannot_read(string tail)
    {
        using var export = SignedExport.New();
        export.Tail = tail;

        var (exit, output) = await VerifyAsync(export, SignedExport.Json(export.Jwk));

        output.Should().Be("Line 185 is not one JSON object with each name once.\n");
        exit.Should().Be(2);
    }

    [Fact]
    public async Task It_is_shorter_than_a_hundred_lines_and_needs_no_package()
    {
        var lines = await File.ReadAllLinesAsync(Script);

        lines.Should().HaveCountLessThan(100);
        lines.Where(line => line.StartsWith("import", StringComparison.Ordinal)).Should().OnlyContain(line => line.Contains("'node:"));
    }

    [Fact]
    public async Task Any_double_is_written_as_ECMAScript_writes_it()
    {
        var bytes = new byte[8 * 50_000];
        RandomNumberGenerator.Fill(bytes);
        var numbers = Enumerable.Range(0, bytes.Length / 8)
            .Select(index => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(index * 8)))
            .Select(bits => (bits & 1) == 0 ? BitConverter.UInt64BitsToDouble(bits) : (bits >> 20) / Math.Pow(10, bits & 31))
            .Where(double.IsFinite)
            .ToList();
        var file = Path.Combine(_folder.FullName, "numbers");
        await File.WriteAllLinesAsync(file, numbers.Select(number => string.Create(
            CultureInfo.InvariantCulture, $"{BitConverter.DoubleToUInt64Bits(number):x16} {CanonicalJson.Number(number)}")));

        var (exit, output) = await NodeAsync(
            "-e",
            """
            const view = new DataView(new ArrayBuffer(8));
            for (const line of require('fs').readFileSync(process.argv[1], 'utf8').trim().split('\n')) {
              const [bits, text] = line.split(' ');
              view.setBigUint64(0, BigInt('0x' + bits));
              if (String(view.getFloat64(0)) !== text && !Object.is(view.getFloat64(0), -0)) console.log(bits, text);
            }
            """,
            file);

        output.Should().BeEmpty();
        exit.Should().Be(0);
        numbers.Should().HaveCountGreaterThan(40_000);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Script => Source.Folder("docs/examples/verify-audit.mjs");

    private static async Task<(int Exit, string Output)> NodeAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("node", arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        await using var kill = deadline.Token.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync() + await errors;
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    private async Task<(int Exit, string Output)> VerifyAsync(SignedExport export, string keys, IReadOnlyList<string>? kept = null)
    {
        var (exportFile, keyFile, keptFile) = (Path.Combine(_folder.FullName, "export"), Path.Combine(_folder.FullName, "keys"), Path.Combine(_folder.FullName, "kept"));
        await File.WriteAllTextAsync(exportFile, export.Text(), new UTF8Encoding(false));
        await File.WriteAllTextAsync(keyFile, keys);
        await File.WriteAllLinesAsync(keptFile, kept ?? []);
        return await NodeAsync([Script, exportFile, keyFile, .. kept is null ? Array.Empty<string>() : [keptFile]]);
    }
}
