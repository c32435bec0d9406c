using System.Diagnostics;
using System.Text;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Webhooks;
using Vtp.Unit.Architecture;

namespace Vtp.Unit.Webhooks;

/// <summary>The examples of docs/webhooks.md and the public library come to the verdict that VTP's signature deserves.</summary>
public sealed class ReceiverTests
{
    private const string Id = "evt_0198c0de";
    private const string Body = "{\"type\":\"room.started\",\"data\":{\"name\":\"Grüße, 世界\"}}";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly Ed25519 Ed25519 = new();
    private static readonly string[] Python = ["python3", "docs/examples/verify-webhook.py"];
    private static readonly string[] Node = ["node", "docs/examples/verify-webhook.mjs"];
    private static readonly string[] Library = ["node", "tests/clients/standard-webhooks.mjs"];

    public static TheoryData<string[]> Receivers => [Python, Node, Library];

    [Theory]
    [MemberData(nameof(Receivers))]
    public async Task A_receiver_accepts_what_VTP_signs_with_either_secret_of_an_overlap(string[] receiver)
    {
        var (old, current) = (WebhookSecret.New(), WebhookSecret.New());
        var signed = Sign(DateTimeOffset.UtcNow, [current, old], [WebhookKeyPair.New(Ed25519)]);

        (await AskAsync(receiver, old.Text, signed, Body)).Should().Be((0, "genuine"));
        (await AskAsync(receiver, current.Text, signed, Body)).Should().Be((0, "genuine"));
    }

    [Theory]
    [MemberData(nameof(Receivers))]
    public async Task A_receiver_refuses_another_body_another_id_another_secret_and_an_old_attempt(string[] receiver)
    {
        var secret = WebhookSecret.New();
        var signed = Sign(DateTimeOffset.UtcNow, [secret], []);

        (await AskAsync(receiver, secret.Text, signed, Body + " ")).Exit.Should().Be(1);
        (await AskAsync(receiver, secret.Text, signed with { Id = "evt_other" }, Body)).Exit.Should().Be(1);
        (await AskAsync(receiver, WebhookSecret.New().Text, signed, Body)).Exit.Should().Be(1);
        (await AskAsync(receiver, secret.Text, Sign(DateTimeOffset.UtcNow.AddMinutes(-6), [secret], []), Body)).Exit.Should().Be(1);
    }

    [Fact]
    public async Task Node_verifies_with_the_public_key_what_it_could_not_have_signed()
    {
        var pair = WebhookKeyPair.New(Ed25519);
        var signed = Sign(DateTimeOffset.UtcNow, [WebhookSecret.New()], [pair]);

        (await AskAsync(Node, pair.PublicText, signed, Body)).Should().Be((0, "genuine"));
        (await AskAsync(Node, pair.PublicText, signed, Body + " ")).Should().Be((1, "refused"));
        (await AskAsync(Node, WebhookKeyPair.New(Ed25519).PublicText, signed, Body)).Should().Be((1, "refused"));
    }

    [Fact]
    public async Task The_commands_of_the_guide_come_to_their_verdict()
    {
        var guide = await File.ReadAllTextAsync(Source.Folder("docs/webhooks.md"));
        var commands = guide.Split("```sh\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var secret = WebhookSecret.New();
        var signed = Sign(DateTimeOffset.UtcNow, [secret], []);
        var body = Path.GetTempFileName();
        await File.WriteAllTextAsync(body, Body);

        commands.Should().HaveCount(2);
        foreach (var command in commands)
        {
            (await RunAsync(command, secret.Text, signed, body)).Should().Be((0, "genuine"));
            (await RunAsync(command, WebhookSecret.New().Text, signed, body)).Should().Be((1, "refused"));
        }

        File.Delete(body);
    }

    private sealed record Signed(string Id, string Timestamp, string Signatures);

    private static Signed Sign(DateTimeOffset at, WebhookSecret[] secrets, WebhookKeyPair[] pairs)
    {
        var headers = WebhookSignature.Headers(Id, at, Encoding.UTF8.GetBytes(Body), secrets, pairs, Ed25519);
        return new Signed(headers[0].Value, headers[1].Value, headers[2].Value);
    }

    private static Task<(int Exit, string Output)> RunAsync(string command, string key, Signed signed, string bodyFile)
    {
        var start = new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = Source.Folder("") };
        foreach (var (name, value) in (IEnumerable<(string, string)>)
            [("SECRET", key), ("ID", signed.Id), ("TIMESTAMP", signed.Timestamp), ("SIGNATURES", signed.Signatures), ("BODY", bodyFile)])
        {
            start.Environment[name] = value;
        }

        return RunAsync(start, "");
    }

    private static Task<(int Exit, string Output)> AskAsync(string[] receiver, string key, Signed signed, string body) =>
        RunAsync(new ProcessStartInfo(receiver[0], [Source.Folder(receiver[1]), key, signed.Id, signed.Timestamp, signed.Signatures]), body);

    private static async Task<(int Exit, string Output)> RunAsync(ProcessStartInfo start, string input)
    {
        (start.UseShellExecute, start.RedirectStandardInput, start.RedirectStandardOutput) = (false, true, true);
        start.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        await using var kill = deadline.Token.Register(() => process.Kill(entireProcessTree: true));
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output.Trim());
    }
}
