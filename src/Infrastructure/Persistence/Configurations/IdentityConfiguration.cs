using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Infrastructure.Persistence.Configurations;

internal sealed class AccountConfiguration : IEntityTypeConfiguration<Account>
{
    public void Configure(EntityTypeBuilder<Account> builder)
    {
        builder.HasKey(account => account.Id);
        builder.Property(account => account.Id).ValueGeneratedNever();
        builder.Property(account => account.PasswordHash).IsRedacted();
        builder.HasSearchText();
        builder.HasRowVersion();
        builder.IsAudited("account");
    }
}

internal sealed class SessionConfiguration : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.HasKey(session => session.Id);
        builder.Property(session => session.Id).ValueGeneratedNever();
        builder.Property(session => session.RefreshKey).IsSealed();

        // Written by a trigger, with the database's clock: what nodes read of each other must not depend on theirs.
        builder.Property<DateTimeOffset?>("EndRecordedAt").ValueGeneratedOnAddOrUpdate();
        builder.HasRowVersion();
    }
}

internal sealed class SecondFactorConfiguration : IEntityTypeConfiguration<SecondFactor>
{
    public void Configure(EntityTypeBuilder<SecondFactor> builder)
    {
        builder.HasKey(factor => factor.AccountId);
        builder.Property(factor => factor.Secret).IsSealed();
        builder.HasRowVersion();
    }
}

internal sealed class SignInChallengeConfiguration : IEntityTypeConfiguration<SignInChallenge>
{
    public void Configure(EntityTypeBuilder<SignInChallenge> builder) => builder.HasKey(challenge => challenge.TokenHash);
}

internal sealed class EmailCodeConfiguration : IEntityTypeConfiguration<EmailCode>
{
    public void Configure(EntityTypeBuilder<EmailCode> builder) => builder.HasKey(code => code.AccountId);
}

internal sealed class PasswordResetTokenConfiguration : IEntityTypeConfiguration<PasswordResetToken>
{
    public void Configure(EntityTypeBuilder<PasswordResetToken> builder) => builder.HasKey(token => token.AccountId);
}

internal sealed class EmailVerificationTokenConfiguration : IEntityTypeConfiguration<EmailVerificationToken>
{
    public void Configure(EntityTypeBuilder<EmailVerificationToken> builder) => builder.HasKey(token => token.AccountId);
}

internal sealed class SetupLinkConfiguration : IEntityTypeConfiguration<SetupLink>
{
    public void Configure(EntityTypeBuilder<SetupLink> builder) => builder.HasKey(link => link.TokenHash);
}

internal sealed class SecurityEventConfiguration : IEntityTypeConfiguration<SecurityEvent>
{
    public void Configure(EntityTypeBuilder<SecurityEvent> builder) =>
        builder.Property(entry => entry.Id).ValueGeneratedNever();
}
