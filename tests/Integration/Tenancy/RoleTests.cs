using System.Net;
using Microsoft.AspNetCore.Routing;
using Vtp.Api.Http;
using Vtp.Domain.Tenancy.Members;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>The matrix of permissions, asked of the running server.</summary>
public sealed class RoleTests(VtpApi api) : IClassFixture<VtpApi>
{
    private const int Lanes = 4;

    [Fact]
    public void Every_endpoint_declares_what_it_demands()
    {
        var endpoints = api.Service<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();

        endpoints.Should().HaveCountGreaterThan(50);
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<UseCaseMetadata>() is null && endpoint.Metadata.GetMetadata<OpenToAllMetadata>() is null)
            .Select(endpoint => endpoint.RoutePattern.RawText).Should().BeEmpty();
    }

    [Fact]
    public async Task Every_route_answers_every_role_as_the_matrix_says()
    {
        var people = new Dictionary<MemberRole, Person>();
        foreach (var role in Enum.GetValues<MemberRole>())
        {
            people[role] = await api.RegisterAsync();
        }

        var routes = TenantRoute.Of(api);
        routes.Should().HaveCountGreaterThan(25);
        await Task.WhenAll(routes.Chunk((routes.Count / Lanes) + 1).Select(async lane =>
        {
            var founder = await api.RegisterAsync();
            Tenant? tenant = null;
            foreach (var route in lane)
            {
                foreach (var (role, person) in people)
                {
                    tenant ??= await TenantAsync(founder);
                    var answer = await route.SendAsync(api, route.PathTo(tenant), person.AccessToken);
                    ShouldBeAsTheMatrixSays(answer, route, role);

                    // What was changed by one request may not be there for the next.
                    tenant = route.Method == "GET" || answer.Status >= HttpStatusCode.BadRequest ? tenant : null;
                }
            }
        }));

        async Task<Tenant> TenantAsync(Person founder)
        {
            var school = await founder.FoundAsync();
            var tenant = await Tenant.OfAsync(school);
            foreach (var (role, person) in people)
            {
                await school.AddMemberAsync(person, role.ToString());
            }

            return tenant;
        }
    }

    [Fact]
    public async Task Nobody_and_a_bad_credential_reach_no_route()
    {
        var tenant = await Tenant.OfAsync(await api.FoundSchoolAsync());
        foreach (var route in TenantRoute.Of(api))
        {
            (await route.SendAsync(api, route.PathTo(tenant), token: null)).Status.Should().Be(HttpStatusCode.Unauthorized, route.ToString());
            (await route.SendAsync(api, route.PathTo(tenant), token: null, key: "vtp_sk_live_wrong")).Status.Should().Be(HttpStatusCode.Unauthorized, route.ToString());
            (await route.SendAsync(api, route.PathTo(tenant), token: "a.b.c")).Status.Should().Be(HttpStatusCode.Unauthorized, route.ToString());
        }
    }

    [Fact]
    public async Task A_key_reaches_what_its_scope_opens_and_nothing_else()
    {
        var routes = TenantRoute.Of(api);
        await Task.WhenAll(routes.Chunk((routes.Count / Lanes) + 1).Select(async lane =>
        {
            var founder = await api.RegisterAsync();
            (School School, Tenant Tenant)? kept = null;
            foreach (var route in lane)
            {
                var (school, tenant) = kept ??= await FoundAsync(founder);
                var needed = route.UseCase.OpenToKeys;
                var others = Domain.Tenancy.ApiKeys.KeyScopes.Catalogue.Keys.Where(scope => scope != "*" && scope != needed?.Scope).ToList();
                var without = await KeyAsync(school, tenant, others);

                var refused = await route.SendAsync(api, route.PathTo(tenant), token: null, without);
                refused.Status.Should().Be(HttpStatusCode.Forbidden, $"{route}: {refused.Text}");
                refused.Error.Should().Be(needed is null ? "auth.person_needed" : "api_key.scope_missing");

                if (needed?.NeedsSecret == true)
                {
                    (await route.SendAsync(api, route.PathTo(tenant), token: null, await KeyAsync(school, tenant, [needed.Scope], "publishable")))
                        .ShouldBeProblem(HttpStatusCode.Forbidden, "api_key.secret_needed");
                }

                if (needed is not null && !route.UseCase.Name.StartsWith("Rotate", StringComparison.Ordinal) && !route.UseCase.Name.StartsWith("Re", StringComparison.Ordinal))
                {
                    var answer = await route.SendAsync(api, route.PathTo(tenant), token: null, await KeyAsync(school, tenant, [needed.Scope]));
                    answer.Status.Should().BeOneOf([HttpStatusCode.OK, HttpStatusCode.Created, HttpStatusCode.NoContent], $"{route}: {answer.Text}");
                    kept = route.Method == "GET" ? kept : null;
                }
            }
        }));

        static async Task<(School School, Tenant Tenant)> FoundAsync(Person founder)
        {
            var school = await founder.FoundAsync();
            return (school, await Tenant.OfAsync(school));
        }

        static async Task<string> KeyAsync(School school, Tenant tenant, IEnumerable<string> scopes, string kind = "secret") =>
            (await school.Owner.PostAsync($"projects/{tenant.Project}/keys", new { name = "Scoped", scopes, kind }))["key"];
    }

    private static void ShouldBeAsTheMatrixSays(Answer answer, TenantRoute route, MemberRole role)
    {
        if (route.IsList)
        {
            answer.Status.Should().NotBe(HttpStatusCode.Forbidden, $"{route}: a list shows what the caller may see");
        }
        else if (role.Holds(route.UseCase.Permission))
        {
            answer.Status.Should().NotBe(HttpStatusCode.Forbidden, $"{route} as {role}: {answer.Text}");
            answer.Status.Should().NotBe(HttpStatusCode.NotFound, $"{route} as {role}: {answer.Text}");
            ((int)answer.Status).Should().BeLessThan(500, answer.Text);
        }
        else
        {
            // What is found by its own id alone is looked for where the caller's role reaches.
            answer.Status.Should().Be(route.IsById ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden, $"{route} as {role}: {answer.Text}");
            answer.Error.Should().Match(route.IsById ? "*not_found" : "auth.forbidden");
        }
    }
}
