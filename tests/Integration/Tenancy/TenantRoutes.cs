using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Vtp.Api.Http;
using Vtp.Api.OpenApi;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>The running server's own list of routes that are about an organization or a project, each with a request that it takes.</summary>
internal sealed record TenantRoute(string Method, string Pattern, UseCaseMetadata UseCase)
{
    public bool IsAboutProject => UseCase.UseCase.IsAssignableTo(typeof(IAboutProject));

    public bool IsList => !Pattern.Contains('{', StringComparison.Ordinal) && !NeedsOrganization;

    /// <summary>Neither its organization nor its project stands in the address.</summary>
    public bool IsById => !IsList && !NeedsOrganization && !Pattern.Contains("{id:guid}", StringComparison.Ordinal);

    /// <summary>The organization stands in the query.</summary>
    public bool NeedsOrganization => UseCase.UseCase.GetProperty("OrgId") is not null;

    public override string ToString() => $"{Method} {Pattern}";

    public static IReadOnlyList<TenantRoute> Of(VtpApi api) =>
    [
        .. from endpoint in api.Service<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           let useCase = endpoint.Metadata.GetMetadata<UseCaseMetadata>()
           where useCase?.Permission.IsOfOrganization() == true
           where endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true } // Pages, and streams without an end, have tests of their own.
           select new TenantRoute(
               endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()!.HttpMethods.Single(),
               endpoint.RoutePattern.RawText!,
               useCase),
    ];

    public string PathTo(Tenant target)
    {
        var path = Pattern
            .Replace("{id:guid}", (IsAboutProject ? target.Project : target.Organization).ToString(), StringComparison.Ordinal)
            .Replace("{user_id:guid}", target.Member.ToString(), StringComparison.Ordinal)
            .Replace("{invitation_id:guid}", target.Invitation.ToString(), StringComparison.Ordinal)
            .Replace("{key_id:guid}", target.Key.ToString(), StringComparison.Ordinal)
            .Replace("{event_id:guid}", target.Event.ToString(), StringComparison.Ordinal)
            .Replace("{webhook_id:guid}", target.Webhook.ToString(), StringComparison.Ordinal)
            .Replace("{delivery_id:guid}", target.Delivery.ToString(), StringComparison.Ordinal)
            .Replace("{export_id:guid}", target.Export.ToString(), StringComparison.Ordinal);
        path.Should().NotContain("{", "a test must know what to put there");
        return NeedsOrganization ? $"{path}?org_id={target.Organization}" : path;
    }

    public JsonNode? Body => Method is "POST" or "PUT" ? Examples.Of(UseCase.UseCase) : null;

    public Task<Answer> SendAsync(VtpApi api, string path, string? token, string? key = null)
    {
        var body = Body?.DeepClone();
        if (body?["admin_email"] is not null)
        {
            body["admin_email"] = Intents.NewAddress();
        }

        if (body?["email"] is not null)
        {
            body["email"] = Intents.NewAddress();
        }

        if (UseCase.Name == "ImportApiKey")
        {
            body!["key"] = $"pulse_key_{Guid.NewGuid():N}";
        }

        return api.SendAsync(new HttpMethod(Method), path, body?.ToJsonString(), token, key is null ? [] : [("X-API-Key", key)]);
    }
}

/// <summary>Ids of one organization and of one of everything in it.</summary>
internal sealed record Tenant(Guid Organization, Guid Project, Guid Member, Guid Invitation, Guid Key, Guid Event, Guid Webhook, Guid Delivery, Guid Export, string Secret)
{
    public static async Task<Tenant> OfAsync(School school)
    {
        var project = await school.CreateProjectAsync();
        var member = await school.AddMemberAsync(await school.Api.RegisterAsync(), "Viewer");
        var invitation = (await school.InviteAsync(Intents.NewAddress())).Body.GetProperty("invitation").GetProperty("id").GetGuid();
        var key = (await school.Owner.PostAsync($"{project.Path}/keys", new { name = "Some key", scopes = new[] { "*" } }))
            .Body.GetProperty("api_key").GetProperty("id").GetGuid();
        var webhook = (await school.Owner.PostAsync($"{project.Path}/webhooks", new { url = "https://hooks.school.example/vtp", retry_seconds = new[] { 86400 } }))
            .Body.GetProperty("webhook").GetProperty("id").GetGuid();
        await school.Owner.PostAsync($"{project.Path}/webhooks/{webhook}/test");
        await VtpApi.UntilAsync(
            async () => await school.Api.QueryAsync<bool>(
                "SELECT coalesce(bool_and(attempts > 0) AND bool_or(event_type = 'webhook.test'), false) FROM webhook_deliveries WHERE endpoint_id = $1", webhook),
            "its deliveries to have failed, after which all is still");
        var delivery = await school.Api.QueryAsync<Guid>("SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 LIMIT 1", webhook);
        var happened = await school.Api.QueryAsync<Guid>("SELECT event_id FROM webhook_deliveries WHERE id = $1", delivery);
        return new Tenant(school.Id, project.Id, member, invitation, key, happened, webhook, delivery, await school.AddExportAsync(project.Id), project.Secret);
    }
}
