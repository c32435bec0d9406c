using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vtp.Application.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Profiles;

internal sealed class ProfileReader([FromKeyedServices(Connections.Reads)] NpgsqlDataSource database) : IProfiles
{
    private const string Sql =
        """
        SELECT email, full_name, phone, role, locale, email_verified_at IS NOT NULL, created_at, enabled_at IS NOT NULL
        FROM accounts LEFT JOIN second_factors ON account_id = id
        WHERE id = $1
        """;

    public async Task<UserView?> FindAsync(AccountId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id.Value } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new UserView(
                id.Value,
                id.Value,
                Email: reader.GetString(0),
                FullName: reader.GetString(1),
                Phone: reader.IsDBNull(2) ? null : reader.GetString(2),
                Role: Enum.Parse<Role>(reader.GetString(3), ignoreCase: true),
                Locale: reader.GetString(4),
                EmailVerified: reader.GetBoolean(5),
                TwoFactorEnabled: reader.GetBoolean(7),
                CreatedAt: reader.GetFieldValue<DateTimeOffset>(6))
            : null;
    }
}
