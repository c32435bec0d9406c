using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>A new sheet of backup codes; the old ones stop working. Needs the password, or a sign-in of the last five minutes.</summary>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.TwoFactor)]
[Audited(AuditActions.BackupCodesRegenerated)]
public sealed record RegenerateBackupCodesCommand(string? Password) : ICommand<BackupCodesRegenerated>;

/// <param name="BackupCodes">Shown this once; only their hashes are stored.</param>
public sealed record BackupCodesRegenerated(IReadOnlyList<string> BackupCodes, string Message);

internal sealed class RegenerateBackupCodesValidator : AbstractValidator<RegenerateBackupCodesCommand>
{
    public RegenerateBackupCodesValidator() =>
        RuleFor(command => command.Password).IsPassword().When(command => command.Password is not null);
}

internal sealed class RegenerateBackupCodesHandler(IVtpDb db, StepUp stepUp, ICaller caller, TimeProvider clock)
    : IRequestHandler<RegenerateBackupCodesCommand, Result<BackupCodesRegenerated>>
{
    public async Task<Result<BackupCodesRegenerated>> Handle(RegenerateBackupCodesCommand request, CancellationToken cancellationToken)
    {
        if (await stepUp.CheckAsync(request.Password, cancellationToken) is { } refused)
        {
            return refused;
        }

        var (accountId, now) = (caller.Required().AccountId, clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var factor = await db.SecondFactors.ForUpdate().SingleOrDefaultAsync(factor => factor.AccountId == accountId, cancellationToken);
        if (factor is not { IsOn: true })
        {
            return TwoFactorRefusals.NotOn;
        }

        var sheet = factor.RenewBackupCodes(now);
        db.Record(accountId, SecurityEventType.BackupCodesRegenerated, caller, now);
        await db.SaveChangesAsync(cancellationToken);
        return new BackupCodesRegenerated(sheet.Codes, "These replace all earlier backup codes.");
    }
}
