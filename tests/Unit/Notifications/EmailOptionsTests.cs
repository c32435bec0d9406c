using Microsoft.Extensions.Configuration;
using Vtp.Infrastructure;
using Vtp.Infrastructure.Email;

namespace Vtp.Unit.Notifications;

public sealed class EmailOptionsTests
{
    [Fact]
    public void Without_any_setting_mail_goes_into_a_folder_from_a_local_address()
    {
        var options = Read();

        options.Smtp.Should().BeNull();
        options.Folder.Should().BeNull();
        options.From.ToString().Should().Be("\"VTP\" <no-reply@localhost>");
    }

    [Fact]
    public void A_host_is_enough_to_send_by_smtp_and_tls_is_then_required()
    {
        var smtp = Read(("Email:Smtp:Host", "mail.example.com")).Smtp!;

        smtp.Should().BeEquivalentTo(new SmtpOptions { Host = "mail.example.com", Port = 587, Security = SmtpSecurity.StartTls });
    }

    [Fact]
    public void The_names_of_older_systems_are_understood()
    {
        var options = Read(
            ("SMTP_HOST", "old.example.com"),
            ("SMTP_PORT", "2525"),
            ("SMTP_USER", "vtp"),
            ("SMTP_PASS", "secret"),
            ("FROM_EMAIL", "vtp@example.com"));

        var smtp = new SmtpOptions { Host = "old.example.com", Port = 2525, User = "vtp", Password = "secret" };
        options.From.Address.Should().Be("vtp@example.com");
        options.Smtp.Should().BeEquivalentTo(smtp);
    }

    [Fact]
    public void The_section_wins_over_the_older_names_but_an_empty_setting_is_none()
    {
        var smtp = Read(
            ("Email:Smtp:Host", "new.example.com"),
            ("SMTP_HOST", "old.example.com"),
            ("Email:Smtp:User", ""),
            ("SMTP_USER", "vtp")).Smtp!;

        smtp.Host.Should().Be("new.example.com");
        smtp.User.Should().Be("vtp");
    }

    [Theory]
    [InlineData("465", null, "Tls")]
    [InlineData("465", "StartTls", "StartTls")]
    [InlineData("25", null, "StartTls")]
    [InlineData("1025", "none", "None")]
    public void Port_465_means_tls_from_the_first_byte_unless_told_otherwise(string port, string? security, string expected)
    {
        var smtp = Read(("SMTP_HOST", "mail.example.com"), ("SMTP_PORT", port), ("Email:Smtp:Security", security)).Smtp!;

        smtp.Security.ToString().Should().Be(expected);
    }

    [Theory]
    [InlineData("Email:From", "nobody")]
    [InlineData("Email:From", "zoë@example.com")]
    [InlineData("Email:Smtp:Port", "70000")]
    [InlineData("Email:Smtp:Port", "smtp")]
    [InlineData("Email:Smtp:Security", "Ssl")]
    [InlineData("Email:Smtp:Security", "7")]
    public void A_setting_that_makes_no_sense_is_named_and_the_password_is_not(string setting, string value)
    {
        var read = () => Read(("Email:Smtp:Host", "mail.example.com"), ("Email:Smtp:Password", "s3cret"), (setting, value));

        read.Should().Throw<StartupFault>().WithMessage($"{setting} is '{value}'*")
            .Which.ToString().Should().NotContain("s3cret");
    }

    private static EmailOptions Read(params (string Key, string? Value)[] settings) =>
        EmailOptions.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)))
            .Build());
}
