using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity.SecurityEvents;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Notifications;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Domain.Notifications;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>
/// Second step of set-up: the caller proves that their authenticator app holds the pending secret. From the next
/// sign-in on, a code is required; the account's other sessions end.
/// </summary>
/// <param name="Code">The six digits that the app shows now (RFC 6238, 30 s steps). They count as used.</param>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.TwoFactor)]
[Audited(AuditActions.TwoFactorEnabled)]
public sealed record EnableTwoFactorCommand(string? Code) : ICommand<TwoFactorEnabled>;

/// <summary>Two-factor sign-in is on.</summary>
/// <param name="BackupCodes">Shown this once; only their hashes are stored.</param>
public sealed record TwoFactorEnabled(IReadOnlyList<string> BackupCodes, string Message);

internal sealed class EnableTwoFactorValidator : AbstractValidator<EnableTwoFactorCommand>
{
    public EnableTwoFactorValidator() => RuleFor(command => command.Code).IsSixDigits();
}

internal sealed class EnableTwoFactorHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<EnableTwoFactorCommand, Result<TwoFactorEnabled>>
{
    public async Task<Result<TwoFactorEnabled>> Handle(EnableTwoFactorCommand request, CancellationToken cancellationToken)
    {
        var (signedIn, now) = (caller.Required(), clock.GetUtcNow());
        await db.BeginAsync(cancellationToken);
        var factor = await db.SecondFactors.ForUpdate().SingleOrDefaultAsync(factor => factor.AccountId == signedIn.AccountId, cancellationToken);
        if (factor is null)
        {
            return TwoFactorRefusals.NotSetUp;
        }

        if (!factor.Enable(request.Code!, now).TryGet(out var sheet, out var refusal))
        {
            await db.SaveUnauditedAsync(cancellationToken);
            return refusal;
        }

        await db.TwoFactorChangedAsync(SecurityEventType.TwoFactorEnabled, caller, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new TwoFactorEnabled(sheet.Codes, "Two-factor sign-in is on. Keep the backup codes where you will find them without your phone.");
    }
}

internal static class TwoFactorChange
{
    /// <summary>What follows from turning it on or off: the owner is told, and whoever else is signed in is not any more.</summary>
    public static async Task TwoFactorChangedAsync(
        this IVtpDb db, SecurityEventType what, ICaller caller, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var signedIn = caller.Required();
        await db.EndSessionsAsync(signedIn.AccountId, except: signedIn.SessionId, SessionEnd.TwoFactorChanged, now, cancellationToken);
        db.Record(signedIn.AccountId, what, caller, now);
        var email = await db.Accounts.Where(account => account.Id == signedIn.AccountId).Select(account => account.Email).SingleAsync(cancellationToken);
        db.Send(OutgoingEmail.To(email, EmailKind.TwoFactorChanged, signedIn.AccountId, caller.IpAddress, caller.UserAgent, now));
    }
}
