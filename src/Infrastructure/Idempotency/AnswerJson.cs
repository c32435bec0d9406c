using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Vtp.Infrastructure.Idempotency;

/// <summary>
/// How answers are kept: whole. What the HTTP body leaves out comes back too, for the answer's status, headers and cookies
/// may be made of it.
/// </summary>
internal static class AnswerJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { IncludeIgnored } },
        Converters = { new JsonStringEnumConverter() },
    };

    public static byte[] Write(object answer, Type type) => JsonSerializer.SerializeToUtf8Bytes(answer, type, Options);

    public static object Read(byte[] json, Type type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type, Options)!;
        }
        catch (JsonException exception)
        {
            // Not the JsonException of a client whose body is malformed.
            throw new InvalidOperationException($"The kept answer is not a {type.Name} of this version.", exception);
        }
    }

    private static void IncludeIgnored(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            property.ShouldSerialize = static (_, _) => true;
        }

        foreach (var ignored in type.Type.GetProperties().Where(IsAlwaysIgnored))
        {
            var field = type.CreateJsonPropertyInfo(ignored.PropertyType, $"ignored:{ignored.Name}");
            field.Get = ignored.GetValue;
            field.Set = ignored.CanWrite ? ignored.SetValue : null;
            type.Properties.Add(field);
        }
    }

    private static bool IsAlwaysIgnored(PropertyInfo property) =>
        property.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.Always };
}
