using System.Buffers.Binary;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Caching;

/// <summary>
/// A number that changes when a type's properties do, those of its properties' types included: what another version of
/// VTP wrote under the same key is read only when it means the same.
/// </summary>
internal static class CacheShape<T>
{
    public static readonly ulong Value = CacheShape.Of(typeof(T));
}

internal static class CacheShape
{
    public static ulong Of(Type type)
    {
        var text = new StringBuilder();
        Describe(type, text, []);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static void Describe(Type type, StringBuilder text, HashSet<Type> seen)
    {
        text.Append(type.Name);
        foreach (var argument in type.GenericTypeArguments)
        {
            text.Append('<');
            Describe(argument, text, seen);
            text.Append('>');
        }

        if (type.IsEnum)
        {
            text.Append('[').AppendJoin(',', Enum.GetNames(type)).Append(']');
            return;
        }

        if (type.GetElementType() is { } element)
        {
            Describe(element, text, seen);
        }

        var isOurs = type.Assembly != typeof(object).Assembly && type.Namespace?.StartsWith("System", StringComparison.Ordinal) != true;
        if (!isOurs || !seen.Add(type) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Result<>)))
        {
            return;
        }

        text.Append('{');
        foreach (var property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public).OrderBy(property => property.Name, StringComparer.Ordinal))
        {
            text.Append(property.Name).Append(':');
            Describe(property.PropertyType, text, seen);
            text.Append(';');
        }

        text.Append('}');
    }
}
