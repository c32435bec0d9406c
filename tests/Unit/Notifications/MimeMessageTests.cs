using System.Net.Mail;
using Vtp.Infrastructure.Email;

namespace Vtp.Unit.Notifications;

public sealed class MimeMessageTests
{
    private static readonly MailAddress Sender = new("no-reply@vtp.example", "VTP");
    private static readonly DateTimeOffset Now = new(2031, 5, 3, 16, 5, 9, TimeSpan.FromHours(2));

    private readonly RenderedEmail email = new(Guid.CreateVersion7(), "ada@example.com", "Hello", "<p>Hello</p>", "Hello");

    [Fact]
    public void The_headers_are_those_that_receivers_look_for()
    {
        var mail = Received(email);

        mail.Headers.Should().Equal(
            "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type");
        mail["Date"].Should().Be("Sat, 03 May 2031 14:05:09 +0000");
        mail["From"].Should().Be("\"VTP\" <no-reply@vtp.example>");
        mail["To"].Should().Be("ada@example.com");
        mail["Message-ID"].Should().Be($"<{email.Id:N}@vtp.example>");
    }

    [Theory]
    [InlineData("Grüße, 日本語 und 🎓")]
    [InlineData("A subject that is far too long for one line of seventy-eight characters, and so has to be folded somewhere")]
    [InlineData("=?utf-8?B?RmFrZQ==?=")]
    [InlineData("")]
    public void A_subject_comes_out_as_it_went_in(string subject) =>
        Received(email with { Subject = subject })["Subject"].Should().Be(subject);

    [Theory]
    [InlineData("Zoë 日本語 🎓\r\nsecond line\r\n")]
    [InlineData("\r\n.\r\n..\r\nplain, with dots\r\n")]
    [InlineData("a form\ffeed and a tab\t")]
    public void A_body_comes_out_as_it_went_in(string body)
    {
        var source = Compose(email with { Text = body, Html = $"<p>{body}</p>" }).Source;
        var mail = ReceivedMail.Parse(source);

        source.Should().MatchRegex(@"\A[\r\n -~]*\z", "not every relay carries eight bits");
        mail.Text.Should().Be(body.ReplaceLineEndings("\r\n"));
        mail.Html.Should().Be($"<p>{body}</p>".ReplaceLineEndings("\r\n"));
    }

    [Fact]
    public void Lines_end_in_crlf_and_none_is_longer_than_a_server_must_take()
    {
        var source = Compose(email with
        {
            Subject = string.Concat(Enumerable.Repeat("ÿ🎓", 400)),
            Text = "one\ntwo\rthree\r\n" + new string('x', 5000),
            Html = string.Concat(Enumerable.Repeat("é", 5000)),
        }).Source;

        source.Replace("\r\n", "").Should().NotContainAny("\r", "\n");
        source.Split("\r\n").Should().OnlyContain(line => line.Length <= 78);
    }

    [Fact]
    public void A_plain_link_stays_whole_and_readable_in_the_source() =>
        Compose(email with { Text = "Open\nhttps://vtp.example/verify?token=abc\n" }).Source
            .Should().Contain("\r\nhttps://vtp.example/verify?token=abc\r\n");

    [Theory]
    [InlineData("Hello\r\nBcc: everyone@example.com")]
    [InlineData("Hello\nBcc: everyone@example.com")]
    [InlineData("Hello\rBcc: everyone@example.com")]
    [InlineData("Hëllo\r\n\r\nBcc: everyone@example.com")]
    public void A_subject_cannot_start_another_header(string subject)
    {
        var mail = Received(email with { Subject = subject });

        mail.Headers.Should().NotContain("Bcc").And.HaveCount(8);
        mail["Subject"].Should().EndWith(" Bcc: everyone@example.com").And.NotContainAny("\r", "\n");
    }

    [Theory]
    [InlineData("ada@example.com\r\nBcc: everyone@example.com")]
    [InlineData("ada@example.com\r\n")]
    [InlineData("\"a\r\n b\"@example.com")]
    [InlineData("\"x><e\"@example.com")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("Eve <eve@example.com>")]
    [InlineData("<eve@example.com>")]
    [InlineData("eve@example.com(Eve)")]
    [InlineData("ada@example.com\u2028")]
    [InlineData("ada@exam\u2028ple.com")]
    [InlineData("ada@-ü-.example..com")]
    [InlineData("ada")]
    [InlineData("")]
    public void A_recipient_is_one_bare_address_or_nobody(string to)
    {
        var compose = () => Compose(email with { To = to });

        compose.Should().Throw<EmailRejected>();
    }

    [Fact]
    public void A_name_in_another_script_and_one_with_quotes_keep_their_letters()
    {
        From("Школа 学校").Should().Be("Школа 学校 <vtp@example.com>");
        From("The \\ \"School\"").Should().Be(@"""The \\ \""School\"""" <vtp@example.com>");

        string From(string name) => Received(email, new MailAddress("vtp@example.com", name))["From"];
    }

    [Theory]
    [InlineData("ada@bücher.example", "ada@xn--bcher-kva.example", false)]
    [InlineData("ada@BÜCHER.example", "ada@xn--bcher-kva.example", false)]
    [InlineData("zoë@bücher.example", "zoë@xn--bcher-kva.example", true)]
    public void A_domain_has_an_ascii_form_but_what_is_before_it_has_none(string to, string sent, bool needsSmtpUtf8)
    {
        var message = Compose(email with { To = to });

        message.Recipient.Should().Be(sent);
        message.NeedsSmtpUtf8.Should().Be(needsSmtpUtf8);
    }

    private static MimeMessage Compose(RenderedEmail email) => MimeMessage.Compose(email, Sender, Now);

    private static ReceivedMail Received(RenderedEmail email, MailAddress? from = null) =>
        ReceivedMail.Parse(MimeMessage.Compose(email, from ?? Sender, Now).Source);
}
