using System.Linq.Expressions;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Api.Http;

/// <summary>
/// One form for all JSON: snake_case, enums as snake_case words, times in UTC with Z. Fields that a client sends in
/// camelCase or under an old name (<see cref="AliasAttribute"/>) are read too; nothing is ever written under them.
/// </summary>
internal static class Json
{
    // Deeper than any body of ours; what is deeper is an attack on the reader's stack.
    private const int MaximumDepth = 32;

    public static readonly JsonSerializerOptions Options = Configured(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configured(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.MaxDepth = MaximumDepth;
        options.AllowDuplicateProperties = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping; // For JSON that is never put into a page.
        options.Converters.Add(new WordConverter());
        options.Converters.Add(new UtcConverter());
        options.Converters.Add(new HashConverter());
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { ReadAliases } };
        return options;
    }

    /// <summary>Aliases can only be set: that is how the OpenAPI document tells them from fields.</summary>
    public static bool IsAlias(JsonPropertyInfo property) => property is { Get: null, Set: not null };

    private static void ReadAliases(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || !type.Type.IsAssignableTo(typeof(IBaseRequest)))
        {
            return;
        }

        // Constructor parameters could be matched by one name only; the primary constructor is called with nothing, and
        // each field is set by whichever of its names was sent.
        type.CreateObject = Empty(type.Type);
        foreach (var property in type.Properties.ToList())
        {
            if (property.AttributeProvider is not PropertyInfo member || member.SetMethod is null)
            {
                continue;
            }

            var unset = member.PropertyType.IsValueType ? Activator.CreateInstance(member.PropertyType) : null;
            var names = member.GetCustomAttributes<AliasAttribute>()
                .Select(alias => alias.Name)
                .Append(JsonNamingPolicy.CamelCase.ConvertName(member.Name));
            foreach (var name in names.Where(name => type.Properties.All(known => !known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))))
            {
                var alias = type.CreateJsonPropertyInfo(property.PropertyType, name);
                alias.Set = (request, value) => SetOnce(member, unset, request, value);
                type.Properties.Add(alias);
            }
        }
    }

    private static Func<object> Empty(Type request)
    {
        var constructor = request.GetConstructors().Single();
        var nothing = constructor.GetParameters().Select(parameter => Expression.Default(parameter.ParameterType));
        return Expression.Lambda<Func<object>>(Expression.New(constructor, nothing)).Compile();
    }

    /// <summary>The snake_case field wins over its aliases.</summary>
    private static void SetOnce(PropertyInfo member, object? unset, object request, object? value)
    {
        if (Equals(member.GetValue(request), unset))
        {
            member.SetValue(request, value);
        }
    }

    private sealed class UtcConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset().ToUniversalTime();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime);
    }

    /// <summary>Without a string for each: a list of them may be long. What is none is null, and whoever reads it says so.</summary>
    private sealed class HashConverter : JsonConverter<ContentHash?>
    {
        public override ContentHash? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType != JsonTokenType.String ? reader.TokenType == JsonTokenType.Null ? null : throw new JsonException()
            : reader is { HasValueSequence: false, ValueIsEscaped: false } ? ContentHash.TryParse(reader.ValueSpan, out var hash) ? hash : null
            : ContentHash.TryParse(reader.GetString(), out hash) ? hash : null;

        public override void Write(Utf8JsonWriter writer, ContentHash? value, JsonSerializerOptions options) => writer.WriteStringValue(value?.ToString());
    }
}
