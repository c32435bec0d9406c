using System.Globalization;
using System.Net.Mail;

namespace Vtp.Infrastructure.Email;

/// <summary>Keeps mail as <c>.eml</c> files, which mail programs open: for development, and until SMTP is configured.</summary>
internal sealed class FolderEmailProvider(string folder, MailAddress from, TimeProvider clock) : IEmailProvider
{
    public async Task SendAsync(RenderedEmail email, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var message = MimeMessage.Compose(email, from, now);
        CreateFolder();

        // A reader must never meet half a message, so it gets its name when it is whole.
        var unfinished = Path.Combine(folder, $".{email.Id}.tmp");
        var sentAt = now.UtcDateTime.ToString("yyyyMMddTHHmmss", CultureInfo.InvariantCulture);
        var finished = Path.Combine(folder, $"{sentAt}-{email.Id}.eml");
        await File.WriteAllTextAsync(unfinished, message.Source, ct);
        File.Move(unfinished, finished, overwrite: true);
    }

    // The messages hold links that sign people in: they are for the user who runs the server.
    private void CreateFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
