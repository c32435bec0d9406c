using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Persistence;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>Contexts are used again; what one request saw, or was, must not reach the next.</summary>
public sealed class PooledContextTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_context_serves_one_request_at_a_time_and_comes_to_each_with_its_own_scope()
    {
        for (var round = 0; round < 5; round++)
        {
            await using (var before = Scope())
            {
                before.ServiceProvider.GetRequiredService<TenantScope>().Enter(new OrganizationId(Guid.NewGuid()), project: null, 365);
                before.ServiceProvider.GetRequiredService<IVtpDb>().Should().BeSameAs(before.ServiceProvider.GetRequiredService<VtpDbContext>());
            }

            await using var one = Scope();
            await using var other = Scope();
            var (first, second) = (one.ServiceProvider.GetRequiredService<VtpDbContext>(), other.ServiceProvider.GetRequiredService<VtpDbContext>());

            first.Should().NotBeSameAs(second);
            first.Tenant.Should().BeSameAs(one.ServiceProvider.GetRequiredService<TenantScope>());
            first.Tenant.IsEmpty.Should().BeTrue("nobody has entered anything yet");
            second.Tenant.Should().BeSameAs(other.ServiceProvider.GetRequiredService<TenantScope>());
        }
    }

    private AsyncServiceScope Scope() => api.Service<IServiceScopeFactory>().CreateAsyncScope();
}
