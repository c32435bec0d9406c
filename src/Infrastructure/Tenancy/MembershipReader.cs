using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Tenancy;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>One prepared statement before a person's request: it runs before anybody knows the tenant, and is what finds out.</summary>
internal sealed class MembershipReader([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database) : IMemberships
{
    private const string Columns = "SELECT organization.id, role, audit_retention_days, organization.deleted_at IS NOT NULL";
    private const string From = "FROM members JOIN organizations organization ON organization.id = members.organization_id";

    private const string All = $"{Columns} {From} WHERE account_id = $1";
    private const string OfOrganization = $"{Columns} {From} WHERE account_id = $1 AND organization.id = $2";

    private const string OfProject =
        $"{Columns} OR project.deleted_at IS NOT NULL {From} JOIN projects project ON project.organization_id = organization.id WHERE account_id = $1 AND project.id = $2";

    public async Task<IReadOnlyList<Membership>> OfAsync(AccountId account, CancellationToken cancellationToken) =>
        await ReadAsync(All, cancellationToken, account.Value);

    public async Task<Membership?> FindAsync(AccountId account, OrganizationId organization, CancellationToken cancellationToken) =>
        (await ReadAsync(OfOrganization, cancellationToken, account.Value, organization.Value)).SingleOrDefault();

    public async Task<Membership?> FindAsync(AccountId account, ProjectId project, CancellationToken cancellationToken) =>
        (await ReadAsync(OfProject, cancellationToken, account.Value, project.Value)).SingleOrDefault();

    private async Task<List<Membership>> ReadAsync(string sql, CancellationToken cancellationToken, params Guid[] ids)
    {
        await using var command = database.CreateSystemCommand(sql, [.. ids.Select(id => new NpgsqlParameter<Guid> { TypedValue = id })]);
        await using var reader = await command.ReadAsync(cancellationToken);
        var memberships = new List<Membership>();
        while (await reader.ReadAsync(cancellationToken))
        {
            memberships.Add(new Membership(
                new OrganizationId(reader.GetGuid(0)), Enum.Parse<MemberRole>(reader.GetString(1), ignoreCase: true), reader.GetInt32(2), reader.GetBoolean(3)));
        }

        return memberships;
    }
}
