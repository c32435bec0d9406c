using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Operations.Cache;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Caching;

internal sealed class HotProjects([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, CacheOptions options) : IHotProjects
{
    private const string Sql =
        """
        SELECT api_keys.organization_id, project_id
        FROM api_keys
        JOIN projects project ON project.id = project_id
        JOIN organizations organization ON organization.id = api_keys.organization_id
        WHERE last_used_at > now() - interval '7 days' AND project.deleted_at IS NULL AND organization.deleted_at IS NULL
        GROUP BY api_keys.organization_id, project_id
        ORDER BY max(last_used_at) DESC
        LIMIT $1
        """;

    public int Wanted => options.WarmProjects;

    public async Task<IReadOnlyList<(OrganizationId Organization, ProjectId Project)>> ReadAsync(int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateSystemCommand(Sql, new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ReadAsync(cancellationToken);
        var projects = new List<(OrganizationId, ProjectId)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            projects.Add((new OrganizationId(reader.GetGuid(0)), new ProjectId(reader.GetGuid(1))));
        }

        return projects;
    }
}
