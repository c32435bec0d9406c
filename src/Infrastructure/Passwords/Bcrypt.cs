using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Vtp.Infrastructure.Passwords;

/// <summary>Checks bcrypt hashes that were imported from another system, through the C library's crypt(3).</summary>
internal static unsafe partial class Bcrypt
{
    // libxcrypt's struct crypt_data; glibc's own is larger, and neither looks beyond what it was given.
    private const int CryptDataSize = 128 * 1024 + 512;

    public static bool IsBcrypt(string? hash) =>
        hash is { Length: 60 } && hash[0] == '$' && hash[1] == '2' && hash[2] is 'a' or 'b' or 'y' && hash[3] == '$';

    public static bool Verify(string password, string hash)
    {
        var data = NativeMemory.AllocZeroed(CryptDataSize);
        try
        {
            // $2y$ is PHP's name for what others call $2b$.
            var computed = Marshal.PtrToStringUTF8(crypt_r(password, hash, data));
            return computed is not null
                && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(computed), Encoding.ASCII.GetBytes(hash));
        }
        finally
        {
            NativeMemory.Clear(data, CryptDataSize);
            NativeMemory.Free(data);
        }
    }

    [LibraryImport("libcrypt.so.1", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint crypt_r(string phrase, string setting, void* data);
}
