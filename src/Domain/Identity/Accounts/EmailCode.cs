using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>Six digits, mailed, that sign their reader in: ten minutes, five tries, once. A newer one replaces it.</summary>
public sealed class EmailCode
{
    public const int MaximumAttempts = 5;
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private EmailCode(AccountId accountId) => AccountId = accountId;

    public AccountId AccountId { get; private set; }

    public byte[] CodeHash { get; private set; } = [];

    public DateTimeOffset ExpiresAt { get; private set; }

    public int Attempts { get; private set; }

    public static EmailCode For(AccountId accountId) => new(accountId);

    /// <summary>The new code, for the mail alone.</summary>
    public string Renew(DateTimeOffset now)
    {
        var code = RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", CultureInfo.InvariantCulture);
        (CodeHash, ExpiresAt, Attempts) = (Hash(code), now + Lifetime, 0);
        return code;
    }

    public bool Accept(string code, DateTimeOffset now)
    {
        if (now >= ExpiresAt || Attempts >= MaximumAttempts)
        {
            return false;
        }

        Attempts++;
        return CryptographicOperations.FixedTimeEquals(CodeHash, Hash(code));
    }

    // The account's id salts it, so that one table of a million digests does not serve for every row.
    private byte[] Hash(string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"{AccountId}:{code}"));
}

public static class EmailCodeRefusals
{
    /// <summary>Also the answer for an address that has no account: the two must look the same.</summary>
    public static readonly Refusal CodeRejected =
        new(RefusalKind.Unauthenticated, "email_code.rejected", "That code is not right or has expired. Ask for a new one.");
}
