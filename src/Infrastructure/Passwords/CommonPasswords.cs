using System.Collections.Frozen;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Infrastructure.Passwords;

/// <summary>
/// 11,611 passwords of eight characters or more, the most used first, from the frequency list of zxcvbn 4.4.2 (MIT,
/// Dan Wheeler and Dropbox, Inc.), which counts published leaks.
/// </summary>
internal sealed class CommonPasswords : ICommonPasswords
{
    private readonly FrozenSet<string> _passwords = Read().ToFrozenSet(StringComparer.Ordinal);

    public bool Contains(string lowerCasePassword) => _passwords.Contains(lowerCasePassword);

    private static IEnumerable<string> Read()
    {
        using var stream = typeof(CommonPasswords).Assembly.GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
