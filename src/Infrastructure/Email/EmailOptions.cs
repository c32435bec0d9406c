using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Vtp.Infrastructure.Email;

/// <summary>The section <c>Email</c>. With <c>Email:Smtp:Host</c> mail goes out by SMTP, without it into a folder.</summary>
internal sealed class EmailOptions
{
    public MailAddress From { get; init; } = new("no-reply@localhost", "VTP");

    public string? Folder { get; init; }

    public SmtpOptions? Smtp { get; init; }

    /// <summary>
    /// Also understands what the systems that VTP replaces were told by: SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASS, FROM_EMAIL.
    /// </summary>
    /// <exception cref="StartupFault">A setting makes no sense. The message never shows the password.</exception>
    public static EmailOptions Read(IConfiguration configuration)
    {
        var defaults = new EmailOptions();
        return new EmailOptions
        {
            From = Setting("Email:From", "FROM_EMAIL") is { } from ? Sender(from) : defaults.From,
            Folder = Setting("Email:Folder"),
            Smtp = Setting("Email:Smtp:Host", "SMTP_HOST") is { } host ? Server(host) : null,
        };

        SmtpOptions Server(string host)
        {
            var port = Setting("Email:Smtp:Port", "SMTP_PORT") is { } number ? Port(number) : SmtpOptions.SubmissionPort;
            return new SmtpOptions
            {
                Host = host,
                Port = port,
                User = Setting("Email:Smtp:User", "SMTP_USER"),
                Password = Setting("Email:Smtp:Password", "SMTP_PASS") ?? "",
                Security = Setting("Email:Smtp:Security") is { } security ? Security(security)
                    : port == SmtpOptions.ImplicitTlsPort ? SmtpSecurity.Tls
                    : SmtpSecurity.StartTls,
            };
        }

        // Compose files pass unset variables on as empty strings.
        string? Setting(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (configuration[name] is { } value && !string.IsNullOrWhiteSpace(value))
                {
                    return value;
                }
            }

            return null;
        }
    }

    // A sender beyond ASCII before the @ would need SMTPUTF8 of every server on the way, for every message.
    private static MailAddress Sender(string value) =>
        MailAddress.TryCreate(value, out var address) && Ascii.IsValid(address.User)
            ? address
            : throw new StartupFault($"Email:From is '{value}', not an address like 'VTP <no-reply@example.com>'.");

    private static int Port(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > IPEndPoint.MinPort and <= IPEndPoint.MaxPort
            ? port
            : throw new StartupFault($"Email:Smtp:Port is '{value}', not a port number.");

    private static SmtpSecurity Security(string value) =>
        Enum.TryParse<SmtpSecurity>(value, ignoreCase: true, out var security) && Enum.IsDefined(security)
            ? security
            : throw new StartupFault($"Email:Smtp:Security is '{value}'; it can be None, StartTls or Tls.");
}

/// <summary>A class and not a record, whose ToString would show the password.</summary>
internal sealed class SmtpOptions
{
    public const int SubmissionPort = 587;
    public const int ImplicitTlsPort = 465;

    public required string Host { get; init; }

    public int Port { get; init; } = SubmissionPort;

    /// <summary>Null: the server takes mail without signing in.</summary>
    public string? User { get; init; }

    public string Password { get; init; } = "";

    public SmtpSecurity Security { get; init; } = SmtpSecurity.StartTls;

    /// <summary>For the whole conversation. Servers that scan a message before they take it may need much of it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);
}

internal enum SmtpSecurity
{
    /// <summary>All in clear text, the password included: for a relay on this machine or a network that you trust.</summary>
    None,

    /// <summary>Upgrade before anything is said (RFC 3207); a server that does not offer it gets no mail.</summary>
    StartTls,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Tls,
}
