using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Vtp.Application.Identity;
using Vtp.Infrastructure.Secrets;

namespace Vtp.Infrastructure.Tokens;

/// <summary>
/// The keys of access tokens, in PostgreSQL and in memory. Each node reads the table every ten seconds; a new key is
/// published a minute before it signs, so no node meets a token whose key it cannot have.
/// </summary>
internal sealed partial class SigningKeys(
    NpgsqlDataSource database, SecretSealer sealer, IOptions<TokenOptions> options, TimeProvider clock, ILogger<SigningKeys> logger)
    : BackgroundService, ISigningKeys
{
    // "vtpk" in ASCII: only one node at a time decides that a key is needed.
    private const int RotationLock = 0x7674706B;
    private static readonly TimeSpan Reload = TimeSpan.FromSeconds(10);

    private volatile List<SigningKey> _keys = [];

    public IReadOnlyList<JsonWebKey> PublicKeys => [.. _keys.Select(key => key.Public)];

    /// <summary>The newest that has been published long enough.</summary>
    public SigningKey Current
    {
        get
        {
            var (keys, now) = (_keys, clock.GetUtcNow());
            return keys.Find(key => key.SignsFrom <= now) ?? keys[^1];
        }
    }

    public SigningKey? Find(string kid) => _keys.Find(key => key.Kid == kid);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await KeepAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public async Task<string> RotateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var kid = await AddAsync(connection, clock.GetUtcNow() + options.Value.KeyAnnouncement, cancellationToken);
        _keys = await ReadAsync(connection, cancellationToken);
        return kid;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Reload);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await KeepAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReloadFailed(exception);
            }
        }
    }

    /// <summary>
    /// Reads the keys; makes one when there is none or the newest is old; drops those whose tokens have all expired. The set in
    /// use is replaced at the end: at no moment is there none to sign with.
    /// </summary>
    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var keys = await ReadAsync(connection, cancellationToken);
        if (NeedsKey(keys))
        {
            await ReplaceAsync(connection, cancellationToken);
            keys = await ReadAsync(connection, cancellationToken);
        }

        _keys = keys;
    }

    private async Task ReplaceAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection)
        {
            Parameters = { new() { Value = RotationLock } },
        };
        await take.ExecuteNonQueryAsync(cancellationToken);
        var keys = await ReadAsync(connection, cancellationToken);
        if (NeedsKey(keys))
        {
            var now = clock.GetUtcNow();
            await AddAsync(connection, keys.Count == 0 ? now : now + options.Value.KeyAnnouncement, cancellationToken);
        }

        await RetireAsync(connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private bool NeedsKey(List<SigningKey> keys) => keys.Count == 0 || clock.GetUtcNow() - keys[0].SignsFrom > options.Value.KeyRotation;

    private async Task<List<SigningKey>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT kid, private_key, signs_from FROM signing_keys ORDER BY signs_from DESC", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (known, keys) = (_keys, new List<SigningKey>());
        while (await reader.ReadAsync(cancellationToken))
        {
            var kid = reader.GetString(0);
            keys.Add(known.Find(key => key.Kid == kid)
                ?? SigningKey.Import(kid, sealer.Open(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<DateTimeOffset>(2)));
        }

        return keys;
    }

    private async Task<string> AddAsync(NpgsqlConnection connection, DateTimeOffset signsFrom, CancellationToken cancellationToken)
    {
        using var key = SigningKey.New(signsFrom);
        await using var command = new NpgsqlCommand("INSERT INTO signing_keys (kid, private_key, signs_from) VALUES ($1, $2, $3)", connection)
        {
            Parameters = { new() { Value = key.Kid }, new() { Value = sealer.Seal(key.Export()) }, new() { Value = signsFrom } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
        LogKeyAdded(key.Kid, signsFrom);
        return key.Kid;
    }

    /// <summary>A key is of no more use once its successor has signed for longer than any token lives.</summary>
    private async Task RetireAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            DELETE FROM signing_keys retired WHERE EXISTS (
                SELECT FROM signing_keys successor
                WHERE successor.signs_from > retired.signs_from AND successor.signs_from < $1)
            """,
            connection)
        {
            Parameters = { new() { Value = clock.GetUtcNow() - options.Value.AccessLifetime - AccessTokens.Skew } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Signing key {Kid} signs from {SignsFrom}")]
    private partial void LogKeyAdded(string kid, DateTimeOffset signsFrom);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Signing keys could not be read; the known ones stay in use")]
    private partial void LogReloadFailed(Exception exception);
}
