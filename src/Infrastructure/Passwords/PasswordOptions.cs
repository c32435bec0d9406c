namespace Vtp.Infrastructure.Passwords;

/// <summary>Section <c>Passwords</c>.</summary>
internal sealed class PasswordOptions
{
    /// <summary>Characters a new password needs at least; 15 is recommended where second factors are rare.</summary>
    public int MinimumLength { get; set; } = 8;

    /// <summary>PBKDF2-HMAC-SHA512 iterations; older hashes are upgraded at sign-in. OWASP's floor is 220,000.</summary>
    public int Iterations { get; set; } = 220_000;

    /// <summary>How many may wait for a core before sign-ins are refused with 503.</summary>
    public int QueuePerCore { get; set; } = 8;
}
