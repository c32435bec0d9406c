using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>Turns two-factor sign-in off, with both factors. The account's other sessions end.</summary>
/// <param name="Password">The account's password.</param>
/// <param name="Code">Six digits from the app, or a backup code.</param>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.TwoFactor)]
[RateLimited(RateLimitPolicies.Password)]
[Audited(AuditActions.TwoFactorDisabled)]
public sealed record DisableTwoFactorCommand(string? Password, string? Code) : ICommand<Message>;

internal sealed class DisableTwoFactorValidator : AbstractValidator<DisableTwoFactorCommand>
{
    public DisableTwoFactorValidator()
    {
        RuleFor(command => command.Password).IsPassword();
        RuleFor(command => command.Code).IsSecondFactorCode();
    }
}

internal sealed class DisableTwoFactorHandler(IVtpDb db, StepUp stepUp, SecondFactorGate gate, ICaller caller, TimeProvider clock)
    : IRequestHandler<DisableTwoFactorCommand, Result<Message>>
{
    public async Task<Result<Message>> Handle(DisableTwoFactorCommand request, CancellationToken cancellationToken)
    {
        if (await stepUp.CheckPasswordAsync(request.Password!, cancellationToken) is { } refused)
        {
            return refused;
        }

        var accountId = caller.Required().AccountId;
        await db.BeginAsync(cancellationToken);
        var factor = await gate.LockAsync(accountId, cancellationToken);
        if (!(await gate.CheckAsync(factor, request.Code!, cancellationToken)).TryGet(out _, out var refusal))
        {
            await db.SaveUnauditedAsync(cancellationToken);
            return refusal;
        }

        db.SecondFactors.Remove(factor!);
        await db.TwoFactorChangedAsync(SecurityEventType.TwoFactorDisabled, caller, clock.GetUtcNow(), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new Message("Two-factor sign-in is off.");
    }
}
