using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Infrastructure.Passwords;

namespace Vtp.Benchmarks.Micro;

/// <summary>The arithmetic of credentials.</summary>
public class CredentialBenchmarks
{
    private readonly SessionId _session = SessionId.New(DateTimeOffset.UtcNow);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _secret = Totp.NewSecret();
    private readonly string _salt = Pbkdf2Hash.NewSalt();
    private readonly int _iterations = new PasswordOptions().Iterations;

    [Benchmark(Description = "refresh token, issue and verify")]
    public bool RefreshTokens() =>
        RefreshToken.TryParse(RefreshToken.Issue(_session, 1, _key).Reveal(), out var token) && token.IsGenuine(_key);

    [Benchmark(Description = "TOTP code, check")]
    public long? TotpCheck() => Totp.FindStep(_secret, "000000", DateTimeOffset.UnixEpoch);

    [Benchmark(Description = "password, hash")]
    public object PasswordHash() => Pbkdf2Hash.Compute("correct horse battery", _iterations, _salt);
}
