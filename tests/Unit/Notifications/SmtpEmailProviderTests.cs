using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Vtp.Infrastructure.Email;

namespace Vtp.Unit.Notifications;

public sealed class SmtpEmailProviderTests
{
    private const string User = "vtp";
    private const string Password = "corrëct horse";

    private readonly RenderedEmail email =
        new(Guid.CreateVersion7(), "ada@example.com", "Grüße 🎓", "<p>Zoë</p>", "Hi Ada,\nit works.\n");

    [Fact]
    public async Task A_message_is_sent_over_starttls_after_signing_in()
    {
        await using var server = new SmtpServerDouble();

        await Provider(server).SendAsync(email, CancellationToken.None);

        Commands(server).Should().Equal(
            "EHLO",
            "STARTTLS",
            "EHLO",
            "AUTH PLAIN",
            "MAIL FROM:<no-reply@vtp.example>",
            "RCPT TO:<ada@example.com>",
            "DATA",
            "QUIT");
        server.Lines.Skip(2).Should().OnlyContain(heard => heard.IsSecure);

        var mail = ReceivedMail.Parse(server.Messages.Single());
        (mail["To"], mail["Subject"]).Should().Be(("ada@example.com", "Grüße 🎓"));
        (mail.Text, mail.Html).Should().Be(("Hi Ada,\r\nit works.\r\n", "<p>Zoë</p>"));
    }

    [Fact]
    public async Task Tls_from_the_first_byte_needs_no_starttls()
    {
        await using var server = new SmtpServerDouble { TlsFromTheStart = true };

        await Provider(server, SmtpSecurity.Tls).SendAsync(email, CancellationToken.None);

        server.Messages.Should().ContainSingle();
        server.Lines.Should().OnlyContain(heard => heard.IsSecure);
    }

    [Fact]
    public async Task Clear_text_is_possible_when_it_is_asked_for()
    {
        await using var server = new SmtpServerDouble { Offers = [] };

        await Provider(server, SmtpSecurity.None, user: null).SendAsync(email, CancellationToken.None);

        server.Messages.Should().ContainSingle();
        server.Lines.Should().OnlyContain(heard => !heard.IsSecure);
    }

    [Theory]
    [InlineData("AUTH PLAIN")]
    [InlineData("auth xoauth2 plain")]
    public async Task Auth_plain_hands_over_the_name_and_the_password(string offer)
    {
        await using var server = new SmtpServerDouble { OffersOverTls = [offer] };

        await Provider(server).SendAsync(email, CancellationToken.None);

        var line = server.Lines.Single(heard => heard.Line.StartsWith("AUTH")).Line;
        Decoded(line.Split(' ')[2]).Should().Be($"\0{User}\0{Password}");
    }

    [Fact]
    public async Task Auth_login_answers_two_questions()
    {
        await using var server = new SmtpServerDouble
        {
            OffersOverTls = ["AUTH LOGIN XOAUTH2"],
            Answer = line => line == Encoded(User) ? "334 UGFzc3dvcmQ6" : line == Encoded(Password) ? "235 signed in" : null,
        };

        await Provider(server).SendAsync(email, CancellationToken.None);

        server.Lines.Select(heard => heard.Line).Should().ContainInOrder("AUTH LOGIN", Encoded(User), Encoded(Password));
        server.Messages.Should().ContainSingle();
    }

    [Fact]
    public async Task A_refused_password_may_be_mended_and_is_not_repeated_in_the_failure()
    {
        await using var server = new SmtpServerDouble { Answer = line => line.StartsWith("AUTH") ? "535 5.7.8 wrong" : null };

        var failure = await Failure<SmtpException>(server);

        failure.Message.Should().Contain("535 5.7.8 wrong");
        failure.ToString().Should().NotContainAny(Password, Encoded(Password), Encoded($"\0{User}\0{Password}"));
    }

    [Fact]
    public async Task Without_an_auth_that_we_speak_nothing_is_sent()
    {
        await using var server = new SmtpServerDouble { OffersOverTls = ["AUTH GSSAPI"] };

        (await Failure<IOException>(server)).Message.Should().Contain("AUTH PLAIN");
        Commands(server).Should().Equal("EHLO", "STARTTLS", "EHLO");
    }

    [Fact]
    public async Task A_server_without_starttls_gets_neither_password_nor_mail()
    {
        await using var server = new SmtpServerDouble { Offers = ["AUTH PLAIN"] };

        (await Failure<IOException>(server)).Message.Should().Contain("STARTTLS");
        Commands(server).Should().Equal("EHLO");
    }

    [Fact]
    public async Task A_server_that_takes_its_starttls_back_gets_neither_password_nor_mail()
    {
        await using var server = new SmtpServerDouble { Answer = line => line == "STARTTLS" ? "454 not today" : null };

        await Failure<SmtpException>(server);
        Commands(server).Should().Equal("EHLO", "STARTTLS");
    }

    [Fact]
    public async Task Words_put_behind_the_starttls_reply_end_the_conversation()
    {
        await using var server = new SmtpServerDouble { Answer = line => line == "STARTTLS" ? "220 go\r\n250 AUTH PLAIN" : null };

        await Failure<IOException>(server);
        Commands(server).Should().Equal("EHLO", "STARTTLS");
    }

    [Fact]
    public async Task What_was_offered_in_clear_text_does_not_count()
    {
        await using var server = new SmtpServerDouble { Offers = ["STARTTLS", "AUTH PLAIN", "SMTPUTF8"], OffersOverTls = [] };

        await Failure<IOException>(server);
        Commands(server).Should().Equal("EHLO", "STARTTLS", "EHLO");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_certificate_that_nobody_vouches_for_is_refused(bool fromTheStart)
    {
        await using var server = new SmtpServerDouble { TlsFromTheStart = fromTheStart };
        var options = Options(server, fromTheStart ? SmtpSecurity.Tls : SmtpSecurity.StartTls);
        var provider = new SmtpEmailProvider(options, Sender, TimeProvider.System);

        var send = () => provider.SendAsync(email, CancellationToken.None);

        await send.Should().ThrowAsync<AuthenticationException>();
        server.Lines.Should().NotContain(heard => heard.Line.StartsWith("AUTH") || heard.Line.StartsWith("MAIL"));
    }

    [Theory]
    [InlineData("RCPT", "550 5.1.1 nobody of that name")]
    [InlineData("RCPT", "553-5.1.3 this is\r\n553 5.1.3 no address")]
    [InlineData(".", "554 5.7.1 looks like spam")]
    public async Task A_final_no_to_the_recipient_or_the_message_is_a_rejection(string command, string reply)
    {
        await using var server = new SmtpServerDouble { Answer = line => Is(line, command) ? reply : null };

        (await Failure<EmailRejected>(server)).Message.Should().Contain(reply[..3]).And.Contain(reply[^8..]);
    }

    [Theory]
    [InlineData("", "421 too busy")]
    [InlineData("", "554 not for you")]
    [InlineData("EHLO", "550 who?")]
    [InlineData("MAIL", "451 later")]
    [InlineData("MAIL", "550 not from this sender")]
    [InlineData("RCPT", "450 4.2.0 greylisted")]
    [InlineData("RCPT", "530 5.7.0 sign in first")]
    [InlineData("DATA", "451 disk full")]
    [InlineData(".", "452 4.3.1 disk full")]
    public async Task Anything_else_is_worth_another_try(string command, string reply)
    {
        await using var server = new SmtpServerDouble { Answer = line => Is(line, command) ? reply : null };

        (await Failure<SmtpException>(server)).Message.Should().Contain(reply);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("25")]
    [InlineData("250-one\r\n251 two")]
    [InlineData("999 what")]
    public async Task Nonsense_is_worth_another_try(string reply)
    {
        await using var server = new SmtpServerDouble { Answer = line => Is(line, "MAIL") ? reply : null };

        await Failure<IOException>(server);
    }

    [Fact]
    public async Task A_reply_without_end_is_cut_off()
    {
        var endless = new string('x', 100_000);
        await using var server = new SmtpServerDouble { Answer = line => line.StartsWith("EHLO") ? endless : null };

        await Failure<IOException>(server);
    }

    [Fact]
    public async Task A_failed_goodbye_does_not_send_the_message_again()
    {
        await using var server = new SmtpServerDouble { Answer = line => line == "QUIT" ? "500 what?" : null };

        await Provider(server).SendAsync(email, CancellationToken.None);

        server.Messages.Should().ContainSingle();
    }

    [Fact]
    public async Task Lines_that_start_with_a_dot_arrive_whole()
    {
        const string text = ".\n..\n.hidden\nend.\n.\n";
        await using var server = new SmtpServerDouble();

        await Provider(server).SendAsync(email with { Text = text }, CancellationToken.None);

        var wire = server.Messages.Single();
        wire.Should().Contain("\r\n..\r\n...\r\n..hidden\r\nend.\r\n..\r\n");
        ReceivedMail.Parse(wire.Replace("\r\n.", "\r\n")).Text.Should().Be(text.ReplaceLineEndings("\r\n"));
    }

    [Fact]
    public async Task Every_attempt_carries_the_same_message_id()
    {
        await using var server = new SmtpServerDouble();

        await Provider(server).SendAsync(email, CancellationToken.None);
        await Provider(server).SendAsync(email, CancellationToken.None);

        var id = $"<{email.Id:N}@vtp.example>";
        server.Messages.Select(message => ReceivedMail.Parse(message)["Message-ID"]).Should().Equal(id, id);
    }

    [Theory]
    [InlineData("ada@example.com>\r\nRCPT TO:<eve@example.com")]
    [InlineData("ada@example.com\nDATA")]
    public async Task An_address_cannot_smuggle_a_command(string to)
    {
        await using var server = new SmtpServerDouble();

        var send = () => Provider(server).SendAsync(email with { To = to }, CancellationToken.None);

        await send.Should().ThrowAsync<EmailRejected>();
        server.Lines.Should().BeEmpty();
    }

    [Fact]
    public async Task An_address_beyond_ascii_is_rejected_by_us_when_the_server_cannot_take_it()
    {
        await using var server = new SmtpServerDouble();

        var send = () => Provider(server).SendAsync(email with { To = "zoë@example.com" }, CancellationToken.None);

        (await send.Should().ThrowAsync<EmailRejected>()).WithMessage("*SMTPUTF8*");
        Commands(server).Should().NotContain(line => line.StartsWith("MAIL"));
    }

    [Fact]
    public async Task An_address_beyond_ascii_is_announced_when_the_server_can()
    {
        await using var server = new SmtpServerDouble { OffersOverTls = ["AUTH PLAIN", "8BITMIME", "SMTPUTF8"] };

        await Provider(server).SendAsync(email with { To = "zoë@bücher.example" }, CancellationToken.None);

        Commands(server).Should().ContainInOrder(
            "MAIL FROM:<no-reply@vtp.example> SMTPUTF8", "RCPT TO:<zoë@xn--bcher-kva.example>");
        ReceivedMail.Parse(server.Messages.Single())["To"].Should().Be("zoë@xn--bcher-kva.example");
    }

    [Theory]
    [InlineData("")]
    [InlineData("EHLO")]
    [InlineData("DATA")]
    public async Task A_silent_server_is_given_up_after_the_timeout(string command)
    {
        await using var server = new SmtpServerDouble { Answer = line => Is(line, command) ? SmtpServerDouble.Silence : null };
        var provider = Provider(server, timeout: TimeSpan.FromMilliseconds(300));

        var send = () => provider.SendAsync(email, CancellationToken.None);

        await send.Should().ThrowAsync<TimeoutException>();
    }

    [Fact]
    public async Task Cancelling_ends_the_conversation()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new SmtpServerDouble
        {
            Answer = line =>
            {
                if (!line.StartsWith("RCPT"))
                {
                    return null;
                }

                cancellation.Cancel();
                return SmtpServerDouble.Silence;
            },
        };

        var send = () => Provider(server).SendAsync(email, cancellation.Token);

        await send.Should().ThrowAsync<OperationCanceledException>();
        server.Messages.Should().BeEmpty();
    }

    [Fact]
    public async Task A_server_that_is_away_is_worth_another_try()
    {
        var server = new SmtpServerDouble();
        var provider = Provider(server);
        await server.DisposeAsync();

        var send = () => provider.SendAsync(email, CancellationToken.None);

        await send.Should().ThrowAsync<SocketException>();
    }

    private static MailAddress Sender => new("no-reply@vtp.example", "VTP");

    private static SmtpOptions Options(
        SmtpServerDouble server, SmtpSecurity security, string? user = User, TimeSpan? timeout = null) =>
        new()
        {
            Host = "127.0.0.1",
            Port = server.Port,
            Security = security,
            User = user,
            Password = Password,
            Timeout = timeout ?? TimeSpan.FromSeconds(30),
        };

    private static SmtpEmailProvider Provider(
        SmtpServerDouble server, SmtpSecurity security = SmtpSecurity.StartTls, string? user = User, TimeSpan? timeout = null) =>
        new(Options(server, security, user, timeout), Sender, TimeProvider.System) { CertificateValidation = server.IsOwn };

    private async Task<T> Failure<T>(SmtpServerDouble server)
        where T : Exception
    {
        var send = () => Provider(server).SendAsync(email, CancellationToken.None);
        return (await send.Should().ThrowExactlyAsync<T>()).Which;
    }

    /// <summary>What the server heard, without what stands behind EHLO and AUTH PLAIN.</summary>
    private static IEnumerable<string> Commands(SmtpServerDouble server) =>
        server.Lines.Select(heard => heard.Line.Replace(" [127.0.0.1]", "").Replace($" {Encoded($"\0{User}\0{Password}")}", ""));

    private static bool Is(string line, string command) => line.Split(' ', ':')[0] == command;

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Decoded(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text));
}
