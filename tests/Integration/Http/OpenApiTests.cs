using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FluentValidation;
using Microsoft.AspNetCore.Routing;
using Vtp.Api.Http;
using Vtp.Api.OpenApi;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

public sealed class OpenApiTests(VtpApi api) : IClassFixture<VtpApi>
{
    private static readonly string[] ElsewhereDescribed = ["404", "405", "413", "415", "500", "503"];

    [Fact]
    public void Every_route_says_which_use_case_it_runs_or_why_it_is_open_to_all()
    {
        var routes = Routes();

        routes.Should().HaveCountGreaterThan(30);
        routes.Where(route => route.Metadata.GetMetadata<UseCaseMetadata>() is null && route.Metadata.GetMetadata<OpenToAllMetadata>() is not { Reason.Length: > 0 })
            .Select(route => route.DisplayName).Should().BeEmpty();
    }

    [Fact]
    public async Task Every_described_route_is_an_operation_that_is_named_after_its_use_case()
    {
        var operations = await OperationsAsync();
        var described = Routes().Where(route => route.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true }).ToList();

        foreach (var route in described)
        {
            var path = Regex.Replace(route.RoutePattern.RawText!, ":[a-z]+(?=})", "", RegexOptions.None, TimeSpan.FromSeconds(1)).TrimEnd('/');
            var method = route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Single();
            var operation = operations.Should().ContainSingle(known => known.Path == path && known.Method == method, "{0} {1}", method, path).Which;
            if (route.Metadata.GetMetadata<UseCaseMetadata>() is { } useCase)
            {
                operation.Id.Should().Be(useCase.UseCase.Name[..^(useCase.UseCase.Name.EndsWith("Query", StringComparison.Ordinal) ? 5 : 7)]);
            }
        }

        operations.Should().HaveSameCount(described);
        operations.Select(operation => operation.Id).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public async Task Every_operation_has_words_for_people_and_schemas_for_programs()
    {
        foreach (var operation in await OperationsAsync())
        {
            operation.Json.GetProperty("summary").GetString().Should().NotBeNullOrEmpty(operation.Id);
            operation.Json.GetProperty("tags").EnumerateArray().Should().ContainSingle(operation.Id);
            operation.Json.GetProperty("description").GetString().Should().NotBeNullOrWhiteSpace(operation.Id);

            var responses = operation.Json.GetProperty("responses").EnumerateObject().ToList();
            responses.Should().ContainSingle(response => response.Name.StartsWith('2'), operation.Id);
            responses.Should().Contain(response => response.Name == "default", operation.Id);
            foreach (var response in responses.Where(response => response.Name != "204"))
            {
                response.Value.GetProperty("content").EnumerateObject().Should().OnlyContain(
                    content => content.Value.GetProperty("schema").EnumerateObject().Any(), "{0} {1}", operation.Id, response.Name);
            }

            foreach (var body in operation.Bodies())
            {
                body.TryGetProperty("example", out _).Should().BeTrue("{0} has a body", operation.Id);
            }
        }
    }

    [Fact]
    public async Task Operations_that_demand_a_permission_demand_the_bearer_token_and_say_401_and_403()
    {
        foreach (var operation in await OperationsAsync())
        {
            var permission = Routes().Select(route => route.Metadata.GetMetadata<UseCaseMetadata>()).FirstOrDefault(useCase => useCase?.Name == operation.Id)?.Permission
                ?? Permission.Anyone;
            operation.Json.TryGetProperty("security", out var security).Should().Be(permission != Permission.Anyone, operation.Id);
            if (permission != Permission.Anyone)
            {
                var keys = Routes().Select(route => route.Metadata.GetMetadata<UseCaseMetadata>()).First(useCase => useCase?.Name == operation.Id)!.OpenToKeys;
                security.EnumerateArray().Select(scheme => scheme.EnumerateObject().Single().Name)
                    .Should().Equal(keys is null && !permission.IsOfTracker() ? ["bearer"] : ["bearer", "apiKey"], operation.Id);
                operation.Declares("401").Should().BeTrue(operation.Id);
            }

            if (permission is not (Permission.Anyone or Permission.SignedIn))
            {
                operation.Declares("403").Should().BeTrue(operation.Id);
                operation.Json.GetProperty("description").GetString().Should().Contain(permission.ToString());
            }
        }
    }

    [Fact]
    public async Task Requests_require_what_their_validators_demand_and_say_how_it_looks()
    {
        var register = await SchemaAsync("RegisterAccountCommand");
        Required(register).Should().BeEquivalentTo("email", "password", "full_name");
        register.GetProperty("properties").GetProperty("email").GetProperty("type").GetString().Should().Be("string");
        register.GetProperty("properties").GetProperty("full_name").GetProperty("maxLength").GetInt32().Should().Be(255);
        Types(register, "phone").Should().BeEquivalentTo("string", "null");
        register.GetProperty("properties").EnumerateObject().Select(field => field.Name)
            .Should().BeEquivalentTo("email", "password", "full_name", "role", "phone");

        var code = (await SchemaAsync("EnableTwoFactorCommand")).GetProperty("properties").GetProperty("code");
        code.GetProperty("pattern").GetString().Should().Be("^[0-9]{6}$");
        Required(await SchemaAsync("ChangeUserRoleCommand")).Should().Equal("role");
        (await SchemaAsync("ChangeUserRoleCommand")).GetProperty("properties").EnumerateObject().Should().ContainSingle("the id is in the route");
        (await SchemaAsync("UpdateProfileCommand")).TryGetProperty("required", out _).Should().BeFalse();
    }

    [Fact]
    public async Task Answers_require_every_field_but_those_that_are_left_out_when_there_is_nothing_to_say()
    {
        var user = await SchemaAsync("UserView");
        Required(user).Should().BeEquivalentTo(user.GetProperty("properties").EnumerateObject().Select(field => field.Name));
        Types(user, "phone").Should().BeEquivalentTo("string", "null");
        user.GetProperty("properties").GetProperty("created_at").GetProperty("type").GetString().Should().Be("string");
        user.GetProperty("properties").GetProperty("created_at").GetProperty("format").GetString().Should().Be("date-time");

        Required(await SchemaAsync("SignInAnswer")).Should().BeEquivalentTo("requires_2fa", "expires_in");
        Types(await SchemaAsync("SignInAnswer"), "access_token").Should().Equal("string");
        Required(await SchemaAsync("Problem")).Should().BeEquivalentTo("type", "title", "status", "detail", "error", "message", "trace_id");
        Required(await SchemaAsync("JsonWebKey")).Should().BeEquivalentTo("kid", "x", "y", "kty", "crv", "alg", "use");

        var role = await SchemaAsync("Role");
        role.GetProperty("type").GetString().Should().Be("string");
        role.GetProperty("enum").EnumerateArray().Select(word => word.GetString()).Should().Equal("student", "teacher", "admin");
    }

    [Fact]
    public async Task Comments_on_use_cases_reach_operations_parameters_and_fields()
    {
        var operations = await OperationsAsync();
        var login = operations.Single(operation => operation.Id == "SignIn");
        login.Json.GetProperty("description").GetString().Should().StartWith("First factor, and with `code` both at once.");
        var search = operations.Single(operation => operation.Id == "ListUsers").Parameter("search");
        search.GetProperty("description").GetString().Should().Be("Part of a name or address, without case and accents.");
        operations.Single(operation => operation.Id == "ListUsers").Parameter("role").GetProperty("schema").GetProperty("enum").GetArrayLength().Should().Be(3);
        operations.Single(operation => operation.Id == "CreateUser").Parameter("Idempotency-Key").GetProperty("in").GetString().Should().Be("header");
        (await SchemaAsync("TwoFactorEnabled")).GetProperty("properties").GetProperty("backup_codes").GetProperty("description").GetString()
            .Should().Be("Shown this once; only their hashes are stored.");
    }

    [Theory]
    [InlineData("ExportOrganization", "ImportOrganization")]
    [InlineData("ExportProject", "ImportProject")]
    public async Task Archives_are_binary_on_their_way_out_and_in(string export, string import)
    {
        var operations = await OperationsAsync();
        var answer = operations.Single(operation => operation.Id == export).Json.GetProperty("responses").GetProperty("200").GetProperty("content");
        var body = operations.Single(operation => operation.Id == import).Json.GetProperty("requestBody").GetProperty("content");

        foreach (var content in new[] { answer, body })
        {
            var only = content.EnumerateObject().Single();
            only.Name.Should().Be("application/zip");
            var schema = await SchemaAsync(only.Value.GetProperty("schema").GetProperty("$ref").GetString()!.Split('/')[^1]);
            (schema.GetProperty("type").GetString(), schema.GetProperty("format").GetString()).Should().Be(("string", "binary"));
        }
    }

    [Fact]
    public async Task Schemas_are_one_type_each()
    {
        // The generator numbers a second type of the same name: generated clients would carry that number.
        var names = (await DocumentAsync()).GetProperty("components").GetProperty("schemas").EnumerateObject().Select(schema => schema.Name).ToList();

        names.Should().Contain("Problem").And.NotContain(name => char.IsDigit(name.Last()));
    }

    [Fact]
    public void Examples_pass_their_validators()
    {
        Examples.All.Should().NotBeEmpty();
        foreach (var example in Examples.All)
        {
            var validator = (IValidator?)api.Service<IServiceProvider>().GetService(typeof(IValidator<>).MakeGenericType(example.GetType()));
            validator?.Validate(new ValidationContext<object>(example)).Errors.Should().BeEmpty(example.GetType().Name);
        }
    }

    [Fact]
    public async Task What_receivers_of_webhooks_are_sent_is_described_type_by_type()
    {
        var webhooks = JsonNode.Parse((await DocumentAsync()).GetRawText())!["webhooks"]!.AsObject();

        webhooks.Select(webhook => webhook.Key).Should().BeEquivalentTo(Vtp.Domain.Events.EventCatalogue.All.Select(kind => kind.Type));
        var body = webhooks["project.created"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["allOf"]!;
        body[0]!["$ref"]!.GetValue<string>().Should().Be("#/components/schemas/EventView");
        body[1]!["properties"]!["data"]!["properties"]!.AsObject().Select(field => field.Key).Should().Equal("id", "name", "region");
        body[1]!["properties"]!["data"]!["properties"]!["region"]!["enum"]!.AsArray().Select(word => word!.GetValue<string>()).Should().Contain("eu-west");
    }

    [Fact]
    public async Task The_document_is_openapi_3_1_and_swagger_ui_shows_it()
    {
        (await DocumentAsync()).GetProperty("openapi").GetString().Should().StartWith("3.1.");

        var redirect = await api.GetAsync("/swagger");
        redirect.Status.Should().Be(HttpStatusCode.MovedPermanently);
        redirect.Headers.Location!.ToString().Should().EndWith("swagger/index.html");
        var page = await api.GetAsync("/swagger/index.html");
        page.Status.Should().Be(HttpStatusCode.OK);
        page.Text.Should().Contain("VTP API");
        (await api.GetAsync("/swagger/index.js")).Text.Should().Contain("/openapi/v1.json");
        (await api.GetAsync("/swagger/swagger-ui-bundle.js")).Status.Should().Be(HttpStatusCode.OK);
    }

    /// <summary>The document drives it, so that operations and fields of later days are met too.</summary>
    [Fact]
    public async Task No_field_of_any_operation_can_be_filled_with_anything_that_crashes_it()
    {
        string[] hostile = ["\"a\\u0000b\"", "\"\\ud800\"", "\"\\uffff\\u202e\"", "\"'; DROP TABLE accounts; --\"", $"\"{new string('x', 20_000)}\"", "-1", "1e400", "[]", "{}", "true", "null"];
        var administrator = await api.RegisterAdministratorAsync();
        var tried = 0;
        foreach (var operation in (await OperationsAsync()).Where(operation => !operation.Path.StartsWith("/health", StringComparison.Ordinal)))
        {
            var path = operation.Path.Replace("{id}", Guid.NewGuid().ToString(), StringComparison.Ordinal);
            foreach (var body in operation.Bodies())
            {
                var example = body.GetProperty("example").EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetRawText(), StringComparer.Ordinal);
                foreach (var (field, value) in (await FieldsAsync(body)).SelectMany(field => hostile.Select(value => (field, value))))
                {
                    var json = string.Join(',', example.Where(known => known.Key != field).Append(new(field, value)).Select(known => $"\"{known.Key}\":{known.Value}"));
                    await TryAsync(operation, path, $"{{{json}}}", $"{field} = {value}");
                }
            }

            foreach (var parameter in operation.Parameters().Where(parameter => parameter.GetProperty("in").GetString() == "query"))
            {
                foreach (var value in new[] { "%00", "%ED%A0%80", "%FF", "abc", "-1", "9999999999", "", "%27%3B--", new string('x', 5000) })
                {
                    await TryAsync(operation, $"{path}?{parameter.GetProperty("name").GetString()}={value}", null, value);
                }
            }
        }

        tried.Should().BeGreaterThan(300);

        async Task TryAsync(Operation operation, string path, string? body, string what)
        {
            tried++;
            var answer = await api.SendAsync(new HttpMethod(operation.Method), path, body, administrator.AccessToken);
            if ((int)answer.Status >= 400)
            {
                answer.ShouldBeProblem();
            }

            var status = ((int)answer.Status).ToString(CultureInfo.InvariantCulture);
            (operation.Declares(status) || ElsewhereDescribed.Contains(status, StringComparer.Ordinal)).Should().BeTrue("{0} answered {1} to {2}", operation.Id, status, what);
            answer.Status.Should().NotBe(HttpStatusCode.InternalServerError, "{0} was sent {1}", operation.Id, what);
            answer.Text.Should().NotContain("server.database_away", "{0} was sent {1}", operation.Id, what);
        }
    }

    private static List<string> Required(JsonElement schema) => [.. schema.GetProperty("required").EnumerateArray().Select(field => field.GetString()!)];

    private static List<string> Types(JsonElement schema, string field)
    {
        var type = schema.GetProperty("properties").GetProperty(field).GetProperty("type");
        return type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray().Select(word => word.GetString()!)] : [type.GetString()!];
    }

    private List<RouteEndpoint> Routes() => [.. api.Service<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private async Task<JsonElement> DocumentAsync() => (await api.GetAsync("/openapi/v1.json")).Body;

    private async Task<JsonElement> SchemaAsync(string name) => (await DocumentAsync()).GetProperty("components").GetProperty("schemas").GetProperty(name);

    private async Task<List<string>> FieldsAsync(JsonElement body)
    {
        var schema = body.GetProperty("schema");
        var reference = (schema.TryGetProperty("oneOf", out var either) ? either[1] : schema).GetProperty("$ref").GetString()!;
        return [.. (await SchemaAsync(reference.Split('/')[^1])).GetProperty("properties").EnumerateObject().Select(field => field.Name)];
    }

    private async Task<List<Operation>> OperationsAsync() =>
    [
        .. (await DocumentAsync()).GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Select(operation => new Operation(path.Name, operation.Name.ToUpperInvariant(), operation.Value))),
    ];

    private sealed record Operation(string Path, string Method, JsonElement Json)
    {
        public string Id => Json.GetProperty("operationId").GetString()!;

        public bool Declares(string status) => Json.GetProperty("responses").TryGetProperty(status, out _);

        public List<JsonElement> Parameters() => Json.TryGetProperty("parameters", out var parameters) ? [.. parameters.EnumerateArray()] : [];

        public JsonElement Parameter(string name) => Parameters().Single(parameter => parameter.GetProperty("name").GetString() == name);

        /// <summary>Those that are JSON; files have no fields and no example, nor has what another server signs byte for byte.</summary>
        public IEnumerable<JsonElement> Bodies() => Json.TryGetProperty("requestBody", out var body) && !body.GetProperty("content").TryGetProperty("application/webhook+json", out _)
            ? body.GetProperty("content").EnumerateObject().Where(content => content.Name != "application/zip").Select(content => content.Value)
            : [];
    }
}
