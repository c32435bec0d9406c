using Microsoft.AspNetCore.DataProtection;

namespace Vtp.Infrastructure.Secrets;

/// <summary>Encrypts the secrets that VTP must be able to read back (TOTP secrets, keys) with ASP.NET Data Protection.</summary>
internal sealed class SecretSealer(IDataProtectionProvider provider)
{
    private readonly IDataProtector _protector = provider.CreateProtector("vtp.secrets.v1");

    public byte[] Seal(byte[] secret) => _protector.Protect(secret);

    public byte[] Open(byte[] sealedSecret) => _protector.Unprotect(sealedSecret);
}
