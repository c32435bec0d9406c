using System.Net.Mail;
using System.Net.Security;
using System.Text;

namespace Vtp.Infrastructure.Email;

/// <summary>Lines out, replies in (RFC 5321, 4.2), over a _stream that can turn into TLS.</summary>
internal sealed class SmtpConnection(Stream transport) : IAsyncDisposable
{
    // A reply has a handful of lines of 512 bytes at most. Of a peer that talks on without end, nothing more fits in, and
    // reading nothing is the end.
    private readonly byte[] _buffer = new byte[16 * 1024];
    private Stream _stream = transport;

    public async Task SecureAsync(string host, RemoteCertificateValidationCallback? validation, CancellationToken ct)
    {
        var tls = new SslStream(_stream);
        _stream = tls;
        var options = new SslClientAuthenticationOptions { TargetHost = host, RemoteCertificateValidationCallback = validation };
        await tls.AuthenticateAsClientAsync(options, ct);
    }

    /// <param name="family">The first digit of the reply that lets the conversation go on.</param>
    /// <exception cref="SmtpException">The server said otherwise. Our line is not repeated: it may hold a password.</exception>
    public async Task<SmtpReply> AskAsync(string line, int family, CancellationToken ct)
    {
        await _stream.WriteAsync(Encoding.UTF8.GetBytes($"{line}\r\n"), ct);
        return await ReadAsync(family, ct);
    }

    public async Task<SmtpReply> ReadAsync(int family, CancellationToken ct)
    {
        SmtpReply? reply;
        var received = 0;

        while (!SmtpReply.TryParse(Encoding.UTF8.GetString(_buffer, 0, received), out reply))
        {
            var count = await _stream.ReadAsync(_buffer.AsMemory(received), ct);
            if (count == 0)
            {
                throw new IOException("The SMTP server hung up, or talked on, in the middle of a reply.");
            }

            received += count;
        }

        return reply.Code / 100 == family
            ? reply
            : throw new SmtpException((SmtpStatusCode)reply.Code, $"The SMTP server answered {reply}");
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
