using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FluentValidation;
using FluentValidation.Validators;
using MediatR;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Vtp.Api.Http;
using Vtp.Application.Tracker;
using Vtp.Domain.Tracker;

namespace Vtp.Api.OpenApi;

/// <summary>What the schema generator cannot know: our converters, our aliases, and what the validators demand.</summary>
internal static class SchemaFacts
{
    // The generator's own mark on a property that may be null and refers to another schema.
    private const string NullableReference = "x-is-nullable-property";

    private static OpenApiSchema Chunk => Written(("index", JsonSchemaType.Integer), ("hash", JsonSchemaType.String), ("size", JsonSchemaType.Integer));

    private static OpenApiSchema Peer
    {
        get
        {
            var peer = Written(
                ("peer_id", JsonSchemaType.String),
                ("ip", JsonSchemaType.String),
                ("port", JsonSchemaType.Integer),
                ("hostname", JsonSchemaType.String),
                ("chunks_available", JsonSchemaType.Array),
                ("is_seeder", JsonSchemaType.Boolean));
            ((OpenApiSchema)peer.Properties!["chunks_available"]).Items = new OpenApiSchema { Type = JsonSchemaType.Integer };
            return peer;
        }
    }

    public static Task Complete(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo;
        if (ScalarOf(type.Type) is { } scalar)
        {
            DescribeScalar(schema, scalar, isNullable: scalar != type.Type);
        }
        else if (type.Type.IsAssignableTo(typeof(IWrittenJson)))
        {
            schema.Type = JsonSchemaType.Array;
            schema.Items = type.Type == typeof(ChunkListJson) ? Chunk : Peer;
        }
        else if (type.Type.IsAssignableTo(typeof(IBaseRequest)))
        {
            DescribeRequest(schema, type, context.ApplicationServices);
        }
        else
        {
            DescribeAnswer(schema, type);
        }

        return Task.CompletedTask;
    }

    /// <summary>An object that is written by hand.</summary>
    private static OpenApiSchema Written(params (string Name, JsonSchemaType Type)[] fields) => new()
    {
        Type = JsonSchemaType.Object,
        Required = fields.Select(field => field.Name).ToHashSet(StringComparer.Ordinal),
        Properties = fields.ToDictionary(field => field.Name, IOpenApiSchema (field) => new OpenApiSchema { Type = field.Type }, StringComparer.Ordinal),
    };

    public static OpenApiSchema OfEnum(Type type) => new() { Type = JsonSchemaType.String, Enum = WordsOf(type) };

    private static List<JsonNode> WordsOf(Type type) =>
        [.. ((IReadOnlyList<string>)typeof(Words<>).MakeGenericType(type).GetProperty(nameof(Words<DayOfWeek>.All))!.GetValue(null)!).Select(word => (JsonNode)word)];

    /// <summary>Types that have a converter of ours are blank to the generator.</summary>
    private static Type? ScalarOf(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var scalar && (scalar.IsEnum || scalar == typeof(DateTimeOffset) || scalar == typeof(ContentHash)) ? scalar : null;

    private static void DescribeScalar(OpenApiSchema schema, Type scalar, bool isNullable)
    {
        schema.Type = isNullable ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String;
        if (scalar.IsEnum)
        {
            schema.Enum = WordsOf(scalar);
        }
    }

    /// <summary>A field is always there, unless it is left out when there is nothing to say.</summary>
    private static void DescribeAnswer(OpenApiSchema schema, JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => property.Get is not null))
        {
            var isLeftOut = property.AttributeProvider?.IsDefined(typeof(JsonIgnoreAttribute), inherit: false) == true;
            if (isLeftOut)
            {
                schema.Required?.Remove(property.Name);
            }
            else
            {
                Require(schema, property.Name);
            }

            if (isLeftOut || !property.IsGetNullable)
            {
                ForbidNull(schema, property.Name);
            }
        }
    }

    private static void DescribeRequest(OpenApiSchema schema, JsonTypeInfo type, IServiceProvider services)
    {
        foreach (var alias in type.Properties.Where(Json.IsAlias))
        {
            schema.Properties?.Remove(alias.Name);
        }

        foreach (var validator in services.GetServices(typeof(IValidator<>).MakeGenericType(type.Type)).Cast<IValidator>())
        {
            // A rule under a condition says nothing about a field by itself.
            foreach (var rule in validator.CreateDescriptor().Rules.Where(rule => !rule.HasCondition && !rule.HasAsyncCondition))
            {
                var field = JsonNamingPolicy.SnakeCaseLower.ConvertName(rule.PropertyName);
                foreach (var component in rule.Components.Where(component => !component.HasCondition && !component.HasAsyncCondition))
                {
                    Apply(component.Validator, schema, field);
                }
            }
        }
    }

    private static void Apply(IPropertyValidator validator, OpenApiSchema request, string field)
    {
        var schema = request.Properties?[field] as OpenApiSchema;
        switch (validator)
        {
            case INotNullValidator:
                Require(request, field);
                ForbidNull(request, field);
                break;
            case INotEmptyValidator:
                Require(request, field);
                ForbidNull(request, field);
                schema?.MinLength = 1;
                break;
            case ILengthValidator { Max: > 0 } length:
                schema?.MaxLength = length.Max;
                break;
            case IRegularExpressionValidator regex:
                // The end of the text, in the dialect of JSON Schema.
                schema?.Pattern = regex.Expression.Replace(@"\z", "$", StringComparison.Ordinal);
                break;
        }
    }

    private static void Require(OpenApiSchema schema, string field) =>
        (schema.Required ??= new HashSet<string>(StringComparer.Ordinal)).Add(field);

    private static void ForbidNull(OpenApiSchema owner, string field)
    {
        if (owner.Properties?[field] is OpenApiSchema schema)
        {
            schema.Type &= ~JsonSchemaType.Null;
            schema.Metadata?.Remove(NullableReference);
        }
    }
}
