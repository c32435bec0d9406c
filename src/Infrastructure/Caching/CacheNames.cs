using Vtp.Application.Common.Caching;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// The names under which an entry can be removed: everything, the beginnings of its key, its key, its tags. A key
/// <c>project:o:p</c> has <c>*</c>, <c>k:project</c>, <c>k:project:o</c>, <c>k:project:o:p</c> and a <c>t:</c> for each tag.
/// </summary>
internal static class CacheNames
{
    public const string Everything = "*";

    public static string[] Of(string key, IEnumerable<string>? tags)
    {
        var names = new List<string>(6) { Everything };
        var prefix = PrefixOf(key);
        names.Add(OfKey(prefix));
        if (key.Length > prefix.Length + 1 && key.IndexOf(':', prefix.Length + 1) is > 0 and var tenant)
        {
            names.Add(OfKey(key[..tenant]));
        }

        if (key.Length > prefix.Length)
        {
            names.Add(OfKey(key));
        }

        names.AddRange((tags ?? []).Select(OfTag));
        return [.. names];
    }

    public static string OfKey(string keyOrBeginning) => $"k:{CacheKey.Fit(keyOrBeginning)}";

    public static string OfTag(string tag) => tag == Everything ? Everything : $"t:{CacheKey.Fit(tag)}";

    /// <summary>The <see cref="CachePrefix"/> of a key, else what stands before its first colon.</summary>
    public static string PrefixOf(string key)
    {
        foreach (var prefix in CachePrefix.All)
        {
            if (key.StartsWith(prefix.Name, StringComparison.Ordinal) && (key.Length == prefix.Name.Length || key[prefix.Name.Length] == ':'))
            {
                return prefix.Name;
            }
        }

        var end = key.IndexOf(':', StringComparison.Ordinal);
        return end < 0 ? key : key[..end];
    }
}
