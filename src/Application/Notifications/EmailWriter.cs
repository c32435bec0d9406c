using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Accounts;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Notifications;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Notifications;

/// <summary>A template's name and the values that it shows.</summary>
/// <param name="CarriesSecret">It holds a token or code that was made for this one attempt.</param>
public sealed record EmailContent(string Template, IReadOnlyDictionary<string, object?> Model, bool CarriesSecret = false);

/// <summary>
/// Decides, when a mail is about to be sent, whether its address has somebody to send it to, and makes the token or
/// code that it carries. Only its hash is stored, and it is stored before the mail leaves.
/// </summary>
public sealed class EmailWriter(IVtpDb db, TenantScope tenant, ILinks links, TimeProvider clock)
{
    /// <returns>Null when there is nobody, or nothing to say.</returns>
    public async Task<EmailContent?> WriteAsync(OutgoingEmail email, CancellationToken cancellationToken)
    {
        if (email.Kind == EmailKind.Invitation)
        {
            return await InvitationAsync(email, cancellationToken);
        }

        if (email.Kind is EmailKind.WebhookFailing or EmailKind.WebhookDisabled)
        {
            return await WebhookAsync(email, cancellationToken);
        }

        if (email.Kind == EmailKind.ExportReady)
        {
            return await ExportAsync(email, cancellationToken);
        }

        var claims = await db.Accounts.WithEmail(email.Recipient).ToListAsync(cancellationToken);
        var account = email.AccountId is { } id ? claims.Find(claim => claim.Id == id) : claims.FirstOrDefault();
        if (account is null || account.IsDisabled)
        {
            return null;
        }

        return email.Kind switch
        {
            EmailKind.VerifyEmail => await VerifyEmailAsync(account, claims, email, cancellationToken),
            EmailKind.PasswordReset => await PasswordResetAsync(account, email, cancellationToken),
            EmailKind.SignInCode => await SignInCodeAsync(account, cancellationToken),
            EmailKind.PasswordChanged => PasswordChanged(account, email),
            EmailKind.TwoFactorChanged => await TwoFactorChangedAsync(account, email, cancellationToken),
            _ => throw new InvalidOperationException($"No text for {email.Kind}."),
        };
    }

    private async Task<EmailContent?> VerifyEmailAsync(Account account, List<Account> claims, OutgoingEmail email, CancellationToken cancellationToken)
    {
        if (claims.Find(claim => claim.OwnsEmail) is { } owner)
        {
            // A registration of an address that has an owner: only the owner is told, and only here.
            return email.AccountId is null || owner.Id == account.Id
                ? null
                : new EmailContent("address-taken", Model(owner, ("reset_link", links.ForgotPassword)));
        }

        var token = await db.EmailVerificationTokens.SingleOrDefaultAsync(token => token.AccountId == account.Id, cancellationToken);
        if (token is null)
        {
            token = EmailVerificationToken.For(account.Id);
            db.EmailVerificationTokens.Add(token);
        }

        var secret = token.Renew(clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new EmailContent(
            "verify-email",
            Model(account, ("link", links.VerifyEmail(secret)), ("hours", EmailVerificationToken.Lifetime.TotalHours)),
            CarriesSecret: true);
    }

    private async Task<EmailContent> PasswordResetAsync(Account account, OutgoingEmail email, CancellationToken cancellationToken)
    {
        var token = await db.PasswordResetTokens.SingleOrDefaultAsync(token => token.AccountId == account.Id, cancellationToken);
        if (token is null)
        {
            token = PasswordResetToken.For(account.Id);
            db.PasswordResetTokens.Add(token);
        }

        var secret = token.Renew(email.IpAddress, email.UserAgent, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new EmailContent(
            "password-reset",
            Model(account, ("link", links.ResetPassword(secret)), ("hours", PasswordResetToken.Lifetime.TotalHours), ("ip_address", Address(email))),
            CarriesSecret: true);
    }

    private async Task<EmailContent> SignInCodeAsync(Account account, CancellationToken cancellationToken)
    {
        var code = await db.EmailCodes.SingleOrDefaultAsync(code => code.AccountId == account.Id, cancellationToken);
        if (code is null)
        {
            code = EmailCode.For(account.Id);
            db.EmailCodes.Add(code);
        }

        var digits = code.Renew(clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return new EmailContent(
            "sign-in-code", Model(account, ("code", digits), ("minutes", EmailCode.Lifetime.TotalMinutes)), CarriesSecret: true);
    }

    private async Task<EmailContent?> InvitationAsync(OutgoingEmail email, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        var invitation = await db.Invitations.OfAllTenants().SingleOrDefaultAsync(invitation => invitation.Id == email.SubjectId, cancellationToken);
        if (invitation?.StatusAt(clock.GetUtcNow()) != InvitationStatus.Pending)
        {
            return null;
        }

        var organization = await db.Organizations.OfAllTenants().SingleOrDefaultAsync(one => one.Id == invitation.OrganizationId, cancellationToken);
        var inviter = await db.Accounts.Where(account => account.Id == invitation.InvitedBy).Select(account => account.FullName).SingleOrDefaultAsync(cancellationToken);
        if (organization is null)
        {
            return null;
        }

        var link = links.AcceptInvitation(invitation.NewToken());
        await db.SaveChangesAsync(cancellationToken);
        return new EmailContent(
            "invitation",
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = invitation.Name,
                ["organization"] = organization.Name,
                ["inviter"] = inviter ?? organization.Name,
                ["role"] = invitation.Role.ToString(),
                ["link"] = link,
                ["days"] = Invitation.Lifetime.TotalDays,
            },
            CarriesSecret: true);
    }

    private async Task<EmailContent?> WebhookAsync(OutgoingEmail email, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        var found = await (
            from endpoint in db.WebhookEndpoints.OfAllTenants()
            join health in db.WebhookHealths.OfAllTenants() on endpoint.Id equals health.EndpointId
            join project in db.Projects.OfAllTenants() on endpoint.ProjectId equals project.Id
            where endpoint.Id == email.SubjectId
            select new { endpoint.Url, Project = project.Name, health.State }).SingleOrDefaultAsync(cancellationToken);
        var isOver = found is null || (email.Kind == EmailKind.WebhookDisabled ? found.State.DisabledAt is null : found.State.FirstFailedAt is null);
        return isOver ? null : new EmailContent(
            email.Kind == EmailKind.WebhookDisabled ? "webhook-disabled" : "webhook-failing",
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["url"] = found!.Url,
                ["project"] = found.Project,
                ["since"] = Time(found.State.FirstFailedAt ?? email.CreatedAt),
                ["reason"] = found.State.DisabledReason == DisabledReason.Gone ? "it answered 410, which says that it wants no more" : "it has only failed for five days",
            });
    }

    private async Task<EmailContent?> ExportAsync(OutgoingEmail email, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        var found = await (
            from export in db.ArchiveExports.OfAllTenants()
            join organization in db.Organizations.OfAllTenants() on export.OrganizationId equals organization.Id
            join member in db.Members.OfAllTenants() on new { export.OrganizationId, AccountId = export.RequestedBy } equals new { member.OrganizationId, member.AccountId }
            join account in db.Accounts on export.RequestedBy equals account.Id
            where export.Id == email.SubjectId && account.DisabledAt == null
            select new
            {
                account.FullName,
                Organization = organization.Name,
                Project = db.Projects.OfAllTenants().Where(project => project.Id == export.ProjectId).Select(project => project.Name).SingleOrDefault(),
            }).SingleOrDefaultAsync(cancellationToken);
        return found is null ? null : new EmailContent(
            "export-ready",
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = found.FullName,
                ["what"] = found.Project ?? found.Organization,
                ["days"] = ArchiveExport.KeptFor.TotalDays,
            });
    }

    private EmailContent PasswordChanged(Account account, OutgoingEmail email) => new(
        "password-changed",
        Model(account, ("time", Time(email)), ("ip_address", Address(email)), ("reset_link", links.ForgotPassword)));

    private async Task<EmailContent> TwoFactorChangedAsync(Account account, OutgoingEmail email, CancellationToken cancellationToken)
    {
        var isOn = await db.SecondFactors.AnyAsync(factor => factor.AccountId == account.Id && factor.EnabledAt != null, cancellationToken);
        return new EmailContent(
            "two-factor-changed",
            Model(account, ("what", isOn ? "Two-factor sign-in was turned on" : "Two-factor sign-in was turned off"), ("time", Time(email)), ("ip_address", Address(email))));
    }

    private static Dictionary<string, object?> Model(Account account, params (string Name, object? Value)[] values)
    {
        var model = values.ToDictionary(value => value.Name, value => value.Value, StringComparer.Ordinal);
        model["name"] = account.FullName;
        return model;
    }

    private static string Time(OutgoingEmail email) => Time(email.CreatedAt);

    private static string Time(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Address(OutgoingEmail email) => email.IpAddress ?? "an unknown address";
}
