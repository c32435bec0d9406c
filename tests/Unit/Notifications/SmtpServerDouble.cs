using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Vtp.Unit.Notifications;

/// <summary>An SMTP server on a free loopback port that takes everything, unless <see cref="Answer"/> says otherwise.</summary>
internal sealed class SmtpServerDouble : IAsyncDisposable
{
    /// <summary>An answer that never comes.</summary>
    public const string Silence = "";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly X509Certificate2 certificate = SelfSigned();
    private readonly Task serving;

    public SmtpServerDouble()
    {
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public bool TlsFromTheStart { get; init; }

    /// <summary>What EHLO offers before TLS and what it offers after.</summary>
    public string[] Offers { get; init; } = ["STARTTLS"];

    public string[] OffersOverTls { get; init; } = ["AUTH PLAIN LOGIN"];

    /// <summary>The reply to a line, or null for the ordinary one. The greeting asks with an empty line.</summary>
    public Func<string, string?> Answer { get; init; } = _ => null;

    public ConcurrentQueue<Heard> Lines { get; } = new();

    /// <summary>As they came over the wire, dots still stuffed, without the final dot.</summary>
    public ConcurrentQueue<string> Messages { get; } = new();

    public bool IsOwn(object sender, X509Certificate? offered, X509Chain? chain, SslPolicyErrors errors) =>
        offered is not null && offered.GetRawCertData().AsSpan().SequenceEqual(certificate.RawData);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
        certificate.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(stopping.Token);

            // A client that refuses the certificate or hangs up is part of many tests: they look at what it said until then.
            await ConverseAsync(client).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ConverseAsync(TcpClient client)
    {
        Stream stream = client.GetStream();
        var isSecure = TlsFromTheStart;
        if (isSecure)
        {
            stream = await SecureAsync(stream);
        }

        var reader = new StreamReader(stream, Encoding.UTF8);
        await SayAsync(Answer("") ?? "220 double ready");

        while (await reader.ReadLineAsync(stopping.Token) is { } line)
        {
            Lines.Enqueue(new Heard(line, isSecure));
            var reply = Answer(line) ?? Ordinary(line, isSecure);
            await SayAsync(reply);

            if (line == "STARTTLS" && reply.StartsWith('2'))
            {
                stream = await SecureAsync(stream);
                reader = new StreamReader(stream, Encoding.UTF8);
                isSecure = true;
            }
            else if (line == "DATA" && reply.StartsWith('3'))
            {
                var message = new StringBuilder();
                while (await reader.ReadLineAsync(stopping.Token) is { } text and not ".")
                {
                    message.Append(text).Append("\r\n");
                }

                Messages.Enqueue(message.ToString());
                await SayAsync(Answer(".") ?? "250 2.0.0 taken");
            }
            else if (line == "QUIT")
            {
                return;
            }
        }

        async Task SayAsync(string reply)
        {
            if (reply != Silence)
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"{reply}\r\n"), stopping.Token);
            }
        }
    }

    private string Ordinary(string line, bool isSecure) => line.Split(' ', ':')[0] switch
    {
        "EHLO" => $"250-double\r\n250-{string.Join("\r\n250-", [.. isSecure ? OffersOverTls : Offers, "HELP"])}\r\n250 SIZE",
        "STARTTLS" => "220 go ahead",
        "AUTH" when line == "AUTH LOGIN" => "334 VXNlcm5hbWU6",
        "AUTH" => "235 signed in",
        "MAIL" or "RCPT" => "250 fine",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "500 what?",
    };

    private async Task<Stream> SecureAsync(Stream stream)
    {
        var tls = new SslStream(stream);
        var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
        await tls.AuthenticateAsServerAsync(options, stopping.Token);
        return tls;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var ephemeral = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));

        // Windows serves TLS only with a key that has been in a key store.
        return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), password: null);
    }

    internal sealed record Heard(string Line, bool IsSecure);
}
