using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.PasswordReset;

/// <summary>Mails a link that sets a new password, if the address has an account. The answer does not tell.</summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.MailAddress)]
[RateLimited(RateLimitPolicies.Mail)]
[Audited(AuditActions.PasswordResetRequested)]
public sealed record RequestPasswordResetCommand(string? Email) : ICommand<Message>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => Email?.Trim().ToLowerInvariant();
}

internal sealed class RequestPasswordResetValidator : AbstractValidator<RequestPasswordResetCommand>
{
    public RequestPasswordResetValidator() => RuleFor(command => command.Email).IsEmailAddress();
}

internal sealed class RequestPasswordResetHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<RequestPasswordResetCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(RequestPasswordResetCommand request, CancellationToken cancellationToken)
    {
        // Whether the address has an account is looked up by the mail's sender, so that asking takes one time for all.
        db.Send(OutgoingEmail.To(
            EmailAddress.Parse(request.Email!), EmailKind.PasswordReset, accountId: null, caller.IpAddress, caller.UserAgent, clock.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
        return new Message("If the address has an account, a mail with a link is on its way.");
    }
}
