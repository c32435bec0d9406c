using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Secrets;

namespace Vtp.Infrastructure.Persistence;

internal sealed class AccountIdConverter() : ValueConverter<AccountId, Guid>(id => id.Value, value => new AccountId(value));

internal sealed class SessionIdConverter() : ValueConverter<SessionId, Guid>(id => id.Value, value => new SessionId(value));

internal sealed class OrganizationIdConverter() : ValueConverter<OrganizationId, Guid>(id => id.Value, value => new OrganizationId(value));

internal sealed class ProjectIdConverter() : ValueConverter<ProjectId, Guid>(id => id.Value, value => new ProjectId(value));

internal sealed class EmailAddressConverter() : ValueConverter<EmailAddress, string>(address => address.Value, text => EmailAddress.Parse(text));

/// <summary>The words that the API shows are the words in the tables.</summary>
internal sealed class SnakeCaseEnumConverter<TEnum>() : ValueConverter<TEnum, string>(
    value => VtpDbContext.SnakeCase(value.ToString()),
    text => Enum.Parse<TEnum>(text.Replace("_", "", StringComparison.Ordinal), true))
    where TEnum : struct, Enum;

internal sealed class SealedConverter(SecretSealer sealer) : ValueConverter<byte[], byte[]>(
    secret => sealer.Seal(secret), sealedSecret => sealer.Open(sealedSecret))
{
    /// <summary>Secrets are replaced, never written into.</summary>
    public static readonly ValueComparer<byte[]> Comparer =
        new((one, other) => one == other || (one != null && other != null && one.SequenceEqual(other)), secret => secret.Length, secret => secret);
}
