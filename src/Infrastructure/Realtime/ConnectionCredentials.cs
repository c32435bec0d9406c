using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Sessions;
using Vtp.Infrastructure.Tenancy;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Infrastructure.Realtime;

/// <summary>By the same rules as a request's, and from the same memory of what has ended: a look each second costs no query.</summary>
internal sealed class ConnectionCredentials(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database,
    AccessTokens tokens,
    EndedSessions endedSessions,
    IApiKeyReader keyReader,
    KnownKeys keys,
    TimeProvider clock) : IConnectionCredentials, IRealtimeTickets
{
    private const int TicketLength = 43;

    private const string Keep =
        """
        INSERT INTO realtime_tickets (secret_hash, account_id, session_id, role, authenticated_at, key_hash, expires_at)
        SELECT $1, $2, $3, $4, $5, (SELECT key_hash FROM api_keys WHERE id = $6), $7
        """;

    private const string Redeem =
        "DELETE FROM realtime_tickets WHERE secret_hash = $1 AND expires_at > $2 RETURNING account_id, session_id, role, authenticated_at, key_hash";

    public async ValueTask<Connected?> FromTokenAsync(string token, CancellationToken cancellationToken) =>
        await tokens.CheckAsync(token, cancellationToken) is { } verified
            ? new Connected(verified.Caller, Key: null, default, verified.ExpiresAt)
            : null;

    public async ValueTask<Result<Connected>> FromKeyAsync(string key, IPAddress? address, CancellationToken cancellationToken) =>
        (await keyReader.ReadAsync(key, secret: null, address, cancellationToken)).TryGet(out var known, out var refusal)
            ? new Connected(Person: null, known, SHA256.HashData(Encoding.ASCII.GetBytes(key)), known.ExpiresAt ?? DateTimeOffset.MaxValue)
            : refusal;

    public async ValueTask<Result<Connected>> FromTicketAsync(string ticket, IPAddress? address, CancellationToken cancellationToken)
    {
        if (ticket.Length != TicketLength)
        {
            return RealtimeRefusals.TicketRejected;
        }

        var now = clock.GetUtcNow();
        await using var batch = database.CreateSystemCommand(
            Redeem, new NpgsqlParameter { Value = OneTimeSecret.Hash(ticket), NpgsqlDbType = NpgsqlDbType.Bytea }, new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        await using var reader = await batch.ReadAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return RealtimeRefusals.TicketRejected;
        }

        Connected? connected;
        if (reader.IsDBNull(4))
        {
            // For as long as an access token would be good that is issued now.
            connected = new Connected(
                new SignedInAs(
                    new AccountId(reader.GetGuid(0)), new SessionId(reader.GetGuid(1)), Enum.Parse<Role>(reader.GetString(2)), reader.GetFieldValue<DateTimeOffset>(3)),
                Key: null,
                default,
                now + tokens.Lifetime);
        }
        else
        {
            var hash = reader.GetFieldValue<byte[]>(4);
            connected = await keys.FindAsync(KeyHash.Of(hash), cancellationToken) is { } known && known.Admits(address)
                ? new Connected(Person: null, known.Caller, hash, known.EndsAt)
                : null;
        }

        return connected is not null && await IsGoodAsync(connected, cancellationToken) ? connected : RealtimeRefusals.TicketRejected;
    }

    public async ValueTask<bool> IsGoodAsync(Connected connected, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return now < connected.GoodUntil && (connected.Person is { } person
            ? !await endedSessions.ContainsAsync(person.SessionId, cancellationToken)
            : (await keys.FindAsync(KeyHash.Of(connected.Proof.Span), cancellationToken))?.IsAliveAt(now) == true);
    }

    public async Task KeepAsync(byte[] hash, ICaller caller, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var person = caller.SignedIn;
        await using var batch = database.CreateSystemCommand(
            Keep,
            new NpgsqlParameter { Value = hash, NpgsqlDbType = NpgsqlDbType.Bytea },
            new NpgsqlParameter<Guid?> { TypedValue = person?.AccountId.Value },
            new NpgsqlParameter<Guid?> { TypedValue = person?.SessionId.Value },
            new NpgsqlParameter<string?> { TypedValue = person?.Role.ToString() },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = person?.AuthenticatedAt },
            new NpgsqlParameter<Guid?> { TypedValue = caller.Key?.KeyId },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = expiresAt });
        await using var reader = await batch.ReadAsync(cancellationToken);
    }
}
