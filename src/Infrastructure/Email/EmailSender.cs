using Microsoft.Extensions.Logging;
using Vtp.Application.Notifications;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Infrastructure.Email;

internal sealed partial class EmailSender(EmailRenderer renderer, IEmailProvider provider, ILogger<EmailSender> logger) : IMailer
{
    public async Task<Result<Done>> SendAsync(Guid messageId, EmailAddress recipient, EmailContent content, CancellationToken cancellationToken)
    {
        try
        {
            await provider.SendAsync(renderer.Render(messageId, recipient.Value, content.Template, content.Model), cancellationToken);
            return Done.Value;
        }
        catch (EmailRejected rejected)
        {
            LogRejected(content.Template, rejected);
            return new Refusal(RefusalKind.Unprocessable, "email.rejected", rejected.Message);
        }
#pragma warning disable CA1031 // Whatever keeps a mail from leaving may be mended. What a server said may name the recipient, its type does not.
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(content.Template, exception);
            return new Refusal(RefusalKind.Busy, "email.not_sent", exception.GetType().Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A mail ({Template}) could not be sent; it will be tried again")]
    private partial void LogFailed(string template, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A mail ({Template}) was refused for good")]
    private partial void LogRejected(string template, Exception exception);
}
