using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Vtp.Application.Events;
using Vtp.Domain.Events;
using Vtp.Domain.Webhooks;

namespace Vtp.Api.OpenApi;

/// <summary>The <c>webhooks</c> of the document: what receivers are sent, one entry a type of event.</summary>
internal static class EventWebhooks
{
    public static void Describe(OpenApiDocument document)
    {
        document.Webhooks = new Dictionary<string, IOpenApiPathItem>(StringComparer.Ordinal);
        foreach (var kind in EventCatalogue.All)
        {
            document.Webhooks[kind.Type] = new OpenApiPathItem
            {
                Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = Operation(kind, document) },
            };
        }
    }

    private static OpenApiOperation Operation(EventKind kind, OpenApiDocument document) => new()
    {
        OperationId = $"On{string.Concat(kind.Type.Split('.', '_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]))}",
        Summary = kind.Summary,
        Tags = new HashSet<OpenApiTagReference> { new("Webhooks", document) },
        Parameters =
        [
            Header(WebhookSignature.IdHeader, "The event's id, the same at every attempt."),
            Header(WebhookSignature.TimestampHeader, "When this attempt was made, in seconds since 1970."),
            Header(WebhookSignature.SignatureHeader, "Signatures as Standard Webhooks has them, separated by spaces; one that is right is enough."),
        ],
        RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { ["application/json"] = new() { Schema = Envelope(kind, document) } },
        },
        Responses = new OpenApiResponses
        {
            ["2XX"] = new OpenApiResponse { Description = "It has arrived." },
            ["410"] = new OpenApiResponse { Description = "Send nothing more: the endpoint is disabled." },
            ["default"] = new OpenApiResponse { Description = "It is sent again later; Retry-After is waited for." },
        },
    };

    private static OpenApiSchema Envelope(EventKind kind, OpenApiDocument document) => new()
    {
        AllOf =
        [
            new OpenApiSchemaReference(nameof(EventView), document),
            new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
                {
                    ["type"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = [JsonValue.Create(kind.Type)] },
                    ["data"] = Data(kind.Data),
                },
            },
        ],
    };

    private static OpenApiSchema Data(Type type)
    {
        var nullability = new NullabilityInfoContext();
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal),
            Required = new HashSet<string>(StringComparer.Ordinal),
        };
        foreach (var property in type.GetProperties())
        {
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            var field = Field(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
            if (nullability.Create(property).ReadState == NullabilityState.Nullable)
            {
                field.Type |= JsonSchemaType.Null;
            }

            schema.Properties[name] = field;
            schema.Required.Add(name);
        }

        return schema;
    }

    private static OpenApiSchema Field(Type type) =>
        type.IsEnum ? SchemaFacts.OfEnum(type)
        : type == typeof(Guid) ? new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" }
        : type == typeof(DateTimeOffset) ? new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" }
        : type == typeof(bool) ? new OpenApiSchema { Type = JsonSchemaType.Boolean }
        : type == typeof(int) || type == typeof(long) ? new OpenApiSchema { Type = JsonSchemaType.Integer }
        : type == typeof(double) ? new OpenApiSchema { Type = JsonSchemaType.Number }
        : type == typeof(string) ? new OpenApiSchema { Type = JsonSchemaType.String }
        : type == typeof(JsonElement) ? new OpenApiSchema { Type = JsonSchemaType.Object } // Whoever raises it sees to that.
        : type.IsAssignableTo(typeof(IEnumerable<string>)) ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } }
        : throw new NotSupportedException($"A field of an event is a {type.Name}: say here what that is in JSON Schema.");

    private static OpenApiParameter Header(string name, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Required = true,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
