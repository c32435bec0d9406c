using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Application.Identity.TwoFactor;

/// <summary>
/// First step of set-up: a new secret for an authenticator app. Nothing changes at sign-in until <c>/auth/2fa/enable</c>
/// has seen a code of it. Needs the password, or a sign-in of the last five minutes.
/// </summary>
[Requires(Permission.SignedIn)]
[RateLimited(RateLimitPolicies.TwoFactor)]
[Audited(AuditActions.TwoFactorSetUp)]
public sealed record SetUpTwoFactorCommand(string? Password) : ICommand<TwoFactorSetUp>;

/// <summary>Show it to the person once.</summary>
/// <param name="Secret">Base32 (RFC 4648), for typing by hand.</param>
/// <param name="QrCodeUrl">The <c>otpauth:</c> URI that the picture holds.</param>
/// <param name="QrCodePng">The picture as a <c>data:image/png;base64</c> URI.</param>
public sealed record TwoFactorSetUp(string Secret, string QrCodeUrl, string QrCodePng);

internal sealed class SetUpTwoFactorValidator : AbstractValidator<SetUpTwoFactorCommand>
{
    public SetUpTwoFactorValidator() => RuleFor(command => command.Password).IsPassword().When(command => command.Password is not null);
}

internal sealed class SetUpTwoFactorHandler(IVtpDb db, StepUp stepUp, IQrCodes qrCodes, ICaller caller)
    : IRequestHandler<SetUpTwoFactorCommand, Result<TwoFactorSetUp>>
{
    private const string Issuer = "VTP Platform";

    public async Task<Result<TwoFactorSetUp>> Handle(SetUpTwoFactorCommand request, CancellationToken cancellationToken)
    {
        if (await stepUp.CheckAsync(request.Password, cancellationToken) is { } refused)
        {
            return refused;
        }

        var accountId = caller.Required().AccountId;
        await db.BeginAsync(cancellationToken);
        var factor = await db.SecondFactors.ForUpdate().SingleOrDefaultAsync(factor => factor.AccountId == accountId, cancellationToken);
        if (factor is null)
        {
            factor = SecondFactor.SetUp(accountId);
            db.SecondFactors.Add(factor);
        }
        else if (!factor.SetUpAgain().TryGet(out _, out var refusal))
        {
            return refusal;
        }

        var email = await db.Accounts.Where(account => account.Id == accountId).Select(account => account.Email).SingleAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);

        var uri = Totp.Uri(factor.Secret, Issuer, email.Value);
        return new TwoFactorSetUp(Base32.Encode(factor.Secret), uri, $"data:image/png;base64,{Convert.ToBase64String(qrCodes.Draw(uri))}");
    }
}
