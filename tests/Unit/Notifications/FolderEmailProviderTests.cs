using System.Net.Mail;
using Vtp.Infrastructure.Email;

namespace Vtp.Unit.Notifications;

public sealed class FolderEmailProviderTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2031, 5, 3, 16, 5, 9, TimeSpan.FromHours(2));

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("vtp-mail-");
    private readonly RenderedEmail email = new(Guid.CreateVersion7(), "ada@example.com", "Grüße", "<p>Zoë</p>", "Zoë");
    private readonly FolderEmailProvider provider;

    public FolderEmailProviderTests() =>
        provider = new(Folder, new MailAddress("no-reply@localhost", "VTP"), new StoppedClock(Now));

    private string Folder => Path.Combine(root.FullName, "state", "mail");

    [Fact]
    public async Task A_message_becomes_one_file_that_a_mail_program_can_open()
    {
        await provider.SendAsync(email, CancellationToken.None);

        var file = Directory.EnumerateFiles(Folder).Should().ContainSingle().Subject;
        Path.GetFileName(file).Should().Be($"20310503T140509-{email.Id}.eml");

        var bytes = await File.ReadAllBytesAsync(file);
        bytes.Should().StartWith("Date: "u8.ToArray(), "a byte order mark would hide the first header");

        var mail = ReceivedMail.Parse(await File.ReadAllTextAsync(file));
        (mail["To"], mail["Subject"], mail.Text, mail.Html).Should().Be(("ada@example.com", "Grüße", "Zoë", "<p>Zoë</p>"));
    }

    [Fact]
    public async Task The_folder_is_for_its_owner_alone()
    {
        await provider.SendAsync(email, CancellationToken.None);

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Folder).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task The_same_message_in_the_same_second_replaces_itself()
    {
        await provider.SendAsync(email, CancellationToken.None);
        await provider.SendAsync(email, CancellationToken.None);

        Directory.EnumerateFiles(Folder).Should().ContainSingle();
    }

    [Fact]
    public async Task A_recipient_that_is_not_an_address_is_rejected_and_leaves_nothing()
    {
        var send = () => provider.SendAsync(email with { To = "../../etc/passwd" }, CancellationToken.None);

        await send.Should().ThrowAsync<EmailRejected>();
        Directory.Exists(Folder).Should().BeFalse();
    }

    public void Dispose() => root.Delete(recursive: true);
}
