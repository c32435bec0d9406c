using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.EmailVerification;

/// <summary>Sends the verification mail again, if the address has an account that needs it. The answer does not tell.</summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.MailAddress)]
[RateLimited(RateLimitPolicies.Mail)]
[Audited(AuditActions.AccountVerificationResent)]
public sealed record ResendVerificationCommand(string? Email) : ICommand<Message>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => Email?.Trim().ToLowerInvariant();
}

internal sealed class ResendVerificationValidator : AbstractValidator<ResendVerificationCommand>
{
    public ResendVerificationValidator() => RuleFor(command => command.Email).IsEmailAddress();
}

internal sealed class ResendVerificationHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<ResendVerificationCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(ResendVerificationCommand request, CancellationToken cancellationToken)
    {
        db.Send(OutgoingEmail.To(
            EmailAddress.Parse(request.Email!), EmailKind.VerifyEmail, accountId: null, caller.IpAddress, caller.UserAgent, clock.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
        return new Message("If the address has an account that is not verified, a mail is on its way.");
    }
}
