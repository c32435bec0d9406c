using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Vtp.Api.Http;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tracker;

namespace Vtp.Api.OpenApi;

/// <summary>OpenAPI 3.1 at /openapi/v1.json: complete from what the routes and use cases declare about themselves.</summary>
internal static class OpenApiDocumentation
{
    private const string Bearer = "bearer";
    private const string ApiKey = "apiKey";

    public static void AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer(DescribeDocument);
        options.AddOperationTransformer(DescribeOperation);
        options.AddSchemaTransformer(SchemaFacts.Complete);
    });

    private static Task DescribeDocument(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "VTP",
            Version = "1",
            Description = "One backend for products that teach by video. Errors are application/problem+json (RFC 9457).",
        };
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Bearer,
                BearerFormat = "JWT",
                Description = "The access_token of a sign-in.",
            },
            [ApiKey] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-API-Key",
                Description = $"A project's key, `{ApiKeyText.Pattern}`. X-Pulse-Key is read too, and X-Pulse-Secret beside a publishable key.",
            },
        };
        EventWebhooks.Describe(document);
        return Task.CompletedTask;
    }

    private static Task DescribeOperation(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        operation.Responses?.TryAdd("default", new OpenApiResponse
        {
            Description = "Any other refusal: 404, 405, 413, 415, 500 or 503.",
            Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
            {
                [Problems.ContentType] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) },
            },
        });
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<UseCaseMetadata>().FirstOrDefault() is not { } useCase)
        {
            return Task.CompletedTask;
        }

        operation.Description = XmlComments.Summary(useCase.UseCase);
        if (useCase.Permission != Permission.Anyone)
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        }

        if (useCase.OpenToKeys is { } keys)
        {
            operation.Security!.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKey, context.Document)] = [] });
            operation.Description += $"\n\nAn API key needs the scope `{keys.Scope}`{(keys.NeedsSecret ? " and to be secret" : "")}.";
        }

        if (useCase.Permission.IsOfTracker())
        {
            operation.Security!.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKey, context.Document)] = [] });
            operation.Description += $"\n\nNeeds the permission `{useCase.Permission}`: of keys and tokens of peers those with the tracker role {RolesWith(useCase.Permission)} have it.";
        }
        else if (useCase.Permission is not (Permission.Anyone or Permission.SignedIn))
        {
            operation.Description += $"\n\nNeeds the permission `{useCase.Permission}`.";
        }

        DescribeParameters(operation, context.Description, useCase.UseCase);
        if (Examples.Of(useCase.UseCase) is { } example && operation.RequestBody?.Content is { } body)
        {
            body["application/json"].Example = example;
        }

        if (useCase.IsIdempotent)
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = "Idempotency-Key",
                In = ParameterLocation.Header,
                Description = "Up to 255 characters. A repeat within 24 hours gets the first answer.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
            });
        }

        foreach (var (status, response) in operation.Responses ?? [])
        {
            if ((status is "429" or "503" || (status is "409" && useCase.IsIdempotent)) && response is OpenApiResponse described)
            {
                described.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
                {
                    ["Retry-After"] = new OpenApiHeader
                    {
                        Description = "Seconds; who waits that long is heard.",
                        Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
                    },
                };
            }
        }

        return Task.CompletedTask;
    }

    private static string RolesWith(Permission permission) =>
        string.Join(" or ", Enum.GetValues<TrackerRole>().Where(role => role.Holds(permission)).Select(role => $"`{Words<TrackerRole>.Of(role)}`"));

    private static void DescribeParameters(OpenApiOperation operation, ApiDescription description, Type useCase)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Description = XmlComments.Parameter(useCase, parameter.Name!);
            var handlers = description.ParameterDescriptions.Single(known => known.Name == parameter.Name).ParameterDescriptor as IParameterInfoParameterDescriptor;
            var type = handlers?.ParameterInfo.ParameterType is { } declared ? Nullable.GetUnderlyingType(declared) ?? declared : null;
            if (type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(Word<>))
            {
                parameter.Schema = SchemaFacts.OfEnum(type.GenericTypeArguments[0]);
            }
        }
    }
}
