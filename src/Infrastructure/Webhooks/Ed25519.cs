using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Vtp.Domain.Webhooks;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>
/// By the system's OpenSSL 3, which .NET itself needs for TLS: no package that has ed25519 can be restored, and one of our own
/// would have to be proven to take the same time for every key.
/// </summary>
internal sealed partial class Ed25519 : IEd25519
{
    private const string LibCrypto = "libcrypto.so.3";
    private const int Nid = 1087;
    private const int KeyBytes = 32;
    private const int SignatureBytes = 64;

    public bool IsSupported { get; } = NativeLibrary.TryLoad(LibCrypto, typeof(Ed25519).Assembly, DllImportSearchPath.SafeDirectories, out _);

    public byte[] PublicKey(ReadOnlySpan<byte> seed)
    {
        using var key = Key(seed);
        var publicKey = new byte[KeyBytes];
        nuint length = KeyBytes;
        Require(EVP_PKEY_get_raw_public_key(key, publicKey, ref length) == 1 && length == KeyBytes);
        return publicKey;
    }

    public byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> content)
    {
        using var key = Key(seed);
        using var context = EVP_MD_CTX_new();
        Require(!context.IsInvalid && EVP_DigestSignInit(context, 0, 0, 0, key) == 1);
        var signature = new byte[SignatureBytes];
        nuint length = SignatureBytes;
        Require(EVP_DigestSign(context, signature, ref length, content, (nuint)content.Length) == 1 && length == SignatureBytes);
        return signature;
    }

    private static KeyHandle Key(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != KeyBytes)
        {
            throw new ArgumentException("A seed has 32 bytes.", nameof(seed));
        }

        var key = EVP_PKEY_new_raw_private_key(Nid, 0, seed, KeyBytes);
        Require(!key.IsInvalid);
        return key;
    }

    private static void Require(bool success)
    {
        if (!success)
        {
            throw new CryptographicException("OpenSSL refused an ed25519 operation.");
        }
    }

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial KeyHandle EVP_PKEY_new_raw_private_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EVP_PKEY_get_raw_public_key(KeyHandle key, Span<byte> publicKey, ref nuint length);

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void EVP_PKEY_free(nint key);

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial ContextHandle EVP_MD_CTX_new();

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EVP_DigestSignInit(ContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(LibCrypto)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EVP_DigestSign(ContextHandle context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> content, nuint length);

    private sealed class KeyHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            EVP_PKEY_free(handle);
            return true;
        }
    }

    private sealed class ContextHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            EVP_MD_CTX_free(handle);
            return true;
        }
    }
}
