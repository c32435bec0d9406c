using System.Net;
using System.Net.Mail;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Vtp.Infrastructure.Email;

/// <summary>Sends through a relay (RFC 6409), one connection a message: mail about accounts does not come in thousands.</summary>
/// <remarks>
/// The conversation is our own because SmtpClient can neither do TLS from the first byte (port 465) nor AUTH PLAIN, and
/// because its makers advise against it.
/// </remarks>
internal sealed class SmtpEmailProvider(SmtpOptions smtp, MailAddress from, TimeProvider clock) : IEmailProvider
{
    private const int Done = 2;
    private const int GoOn = 3;

    /// <summary>Null, as always outside tests: the certificate must be valid for the host and its issuer trusted.</summary>
    internal RemoteCertificateValidationCallback? CertificateValidation { get; init; }

    public async Task SendAsync(RenderedEmail email, CancellationToken ct)
    {
        var message = MimeMessage.Compose(email, from, clock.GetUtcNow());
        using var timeout = new CancellationTokenSource(smtp.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);

        try
        {
            await ConverseAsync(message, either.Token);
        }
        catch (OperationCanceledException exception) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException($"The SMTP server {smtp.Host} did not take the message within {smtp.Timeout}.", exception);
        }
    }

    private async Task ConverseAsync(MimeMessage message, CancellationToken ct)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(smtp.Host, smtp.Port, ct);
        await using var server = new SmtpConnection(client.GetStream());

        var extensions = await GreetAsync(server, NameOf(client), ct);
        if (smtp.User is { } user)
        {
            await SignInAsync(server, extensions, user, ct);
        }

        if (message.NeedsSmtpUtf8 && !extensions.Contains("SMTPUTF8"))
        {
            throw new EmailRejected("The address is not ASCII before the @, and the SMTP server does not take that (SMTPUTF8).");
        }

        // A no to our own sender is a matter of configuration, which somebody can mend: it is not the recipient's fate.
        await server.AskAsync($"MAIL FROM:<{message.Sender}>{(message.NeedsSmtpUtf8 ? " SMTPUTF8" : "")}", Done, ct);
        await HandOverAsync(server, message, ct);

        // The message is accepted: a goodbye that fails must not get it sent again.
        Task goodbye = server.AskAsync("QUIT", Done, ct);
        await goodbye.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<ILookup<string, string>> GreetAsync(SmtpConnection server, string name, CancellationToken ct)
    {
        if (smtp.Security == SmtpSecurity.Tls)
        {
            await server.SecureAsync(smtp.Host, CertificateValidation, ct);
        }

        await server.ReadAsync(Done, ct);
        var extensions = await HelloAsync(server, name, ct);
        if (smtp.Security != SmtpSecurity.StartTls)
        {
            return extensions;
        }

        if (!extensions.Contains("STARTTLS"))
        {
            throw new IOException($"{smtp.Host} offers no STARTTLS, and only Email:Smtp:Security=None sends mail in clear text.");
        }

        await server.AskAsync("STARTTLS", Done, ct);
        await server.SecureAsync(smtp.Host, CertificateValidation, ct);

        // What the server seemed to offer in clear text may have been anyone's words (RFC 3207, 4.2).
        return await HelloAsync(server, name, ct);
    }

    private static async Task<ILookup<string, string>> HelloAsync(SmtpConnection server, string name, CancellationToken ct)
    {
        var reply = await server.AskAsync($"EHLO {name}", Done, ct);
        return reply.Lines.Skip(1)
            .Select(line => line.Split(' ', 2))
            .ToLookup(words => words[0], words => words.Length > 1 ? words[1] : "", StringComparer.OrdinalIgnoreCase);
    }

    private async Task SignInAsync(SmtpConnection server, ILookup<string, string> extensions, string user, CancellationToken ct)
    {
        var mechanisms = extensions["AUTH"].SelectMany(names => names.Split(' ')).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (mechanisms.Contains("PLAIN"))
        {
            await server.AskAsync($"AUTH PLAIN {Base64($"\0{user}\0{smtp.Password}")}", Done, ct);
        }
        else if (mechanisms.Contains("LOGIN"))
        {
            await server.AskAsync("AUTH LOGIN", GoOn, ct);
            await server.AskAsync(Base64(user), GoOn, ct);
            await server.AskAsync(Base64(smtp.Password), Done, ct);
        }
        else
        {
            throw new IOException($"Email:Smtp:User is set, but {smtp.Host} offers neither AUTH PLAIN nor AUTH LOGIN.");
        }
    }

    private static async Task HandOverAsync(SmtpConnection server, MimeMessage message, CancellationToken ct)
    {
        try
        {
            await server.AskAsync($"RCPT TO:<{message.Recipient}>", Done, ct);
            await server.AskAsync("DATA", GoOn, ct);

            // A lone dot ends the message, so a line that starts with one gets another (RFC 5321, 4.5.2).
            await server.AskAsync(message.Source.Replace("\r\n.", "\r\n..", StringComparison.Ordinal) + ".", Done, ct);
        }
        catch (SmtpException refusal) when (IsAboutThisMessage((int)refusal.StatusCode))
        {
            throw new EmailRejected(refusal.Message, refusal);
        }
    }

    // 503 and 530 say that we came unprepared or did not sign in.
    private static bool IsAboutThisMessage(int code) => code >= 500 && code is not (503 or 530);

    // The address as a literal (RFC 5321, 4.1.3): the host name of a container means nothing to anyone else.
    private static string NameOf(TcpClient client)
    {
        var address = ((IPEndPoint)client.Client.LocalEndPoint!).Address;
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"[IPv6:{new IPAddress(address.GetAddressBytes())}]"
            : $"[{address}]";
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
