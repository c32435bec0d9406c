using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.Accounts;

/// <summary>Mails six digits that sign their reader in, if the address has an account. The answer does not tell.</summary>
[Requires(Permission.Anyone)]
[RateLimited(RateLimitPolicies.MailAddress)]
[RateLimited(RateLimitPolicies.Mail)]
[Audited(AuditActions.EmailCodeRequested)]
public sealed record RequestEmailCodeCommand(string? Email) : ICommand<EmailCodeRequested>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => Email?.Trim().ToLowerInvariant();
}

/// <param name="ExpiresIn">Seconds for which a code is good.</param>
public sealed record EmailCodeRequested(string Message, int ExpiresIn);

internal sealed class RequestEmailCodeValidator : AbstractValidator<RequestEmailCodeCommand>
{
    public RequestEmailCodeValidator() => RuleFor(command => command.Email).IsEmailAddress();
}

internal sealed class RequestEmailCodeHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<RequestEmailCodeCommand, Result<EmailCodeRequested>>
{
    public async Task<Result<EmailCodeRequested>> Handle(RequestEmailCodeCommand request, CancellationToken cancellationToken)
    {
        db.Send(OutgoingEmail.To(
            EmailAddress.Parse(request.Email!), EmailKind.SignInCode, accountId: null, caller.IpAddress, caller.UserAgent, clock.GetUtcNow()));
        await db.SaveChangesAsync(cancellationToken);
        return new EmailCodeRequested("If the address has an account, a code is on its way.", (int)EmailCode.Lifetime.TotalSeconds);
    }
}
