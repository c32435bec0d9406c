using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Audit;
using Vtp.Application.Identity;
using Vtp.Domain.Audit;
using Vtp.Infrastructure.Secrets;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Infrastructure.Audit;

/// <summary>
/// The keys that statements about the trail are signed with, apart from those of access tokens: what was signed is
/// verified for years, so that none of them ever ceases to be published. The first node to start makes the first one. What
/// marks the entries is derived from them. Whoever seals reads the table first, so that each node knows a new key within
/// about a second, and it is used a minute later.
/// </summary>
internal sealed partial class AuditSigningKeys(NpgsqlDataSource database, SecretSealer sealer, TimeProvider clock, ILogger<AuditSigningKeys> logger)
    : IHostedService, IAuditKeys, IDisposable
{
    // "vtpa" in ASCII.
    private const int CreationLock = 0x76747061;
    private const string MarkPurpose = "vtp audit mark 1";
    private const string Unknown = "SELECT kid, private_key, signs_from FROM audit_signing_keys WHERE kid <> ALL ($1)";
    private const string Insert = "INSERT INTO audit_signing_keys (kid, private_key, signs_from) VALUES ($1, $2, $3)";
    private static readonly TimeSpan Announcement = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();

    /// <summary>Newest first. None ever leaves, also when somebody takes it out of the table.</summary>
    private volatile Key[] _keys = [];

    public IReadOnlyList<JsonWebKey> PublicKeys => [.. _keys.Select(key => key.Signing.Public)];

    private Key Current
    {
        get
        {
            var (keys, now) = (_keys, clock.GetUtcNow());
            return Array.Find(keys, key => key.Signing.SignsFrom <= now) ?? keys.LastOrDefault()
                ?? throw new InvalidOperationException("The trail has no key before the server has started.");
        }
    }

    /// <summary>A JWS in compact form, by the newest key that has been published long enough.</summary>
    public string Sign(string type, byte[] payload)
    {
        var key = Current.Signing;
        var input = AuditSignature.SigningInput(key.Kid, type, payload);
        Span<byte> signature = stackalloc byte[64];
        key.Sign(Encoding.ASCII.GetBytes(input), signature);
        return AuditSignature.Join(input, signature);
    }

    /// <summary>HMAC-SHA-256, by a key that is derived from the one that signs now.</summary>
    public byte[] Mac(ReadOnlySpan<byte> data) => HMACSHA256.HashData(Current.Marking, data);

    /// <summary>Whether any of the keys made this.</summary>
    public bool IsMac(ReadOnlySpan<byte> mac, ReadOnlySpan<byte> data)
    {
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var key in _keys)
        {
            HMACSHA256.HashData(key.Marking, data, right);
            if (CryptographicOperations.FixedTimeEquals(mac, right))
            {
                return true;
            }
        }

        return false;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        await work.RunAsync("SELECT pg_advisory_xact_lock($1)", cancellationToken, new NpgsqlParameter<int> { TypedValue = CreationLock });
        await using (var command = work.Command(Unknown, Kids()))
        {
            await LoadAsync(command, cancellationToken);
        }

        if (_keys.Length == 0)
        {
            await using var command = work.Command(Insert);
            await AddAsync(command, clock.GetUtcNow(), cancellationToken);
        }

        await work.CommitAsync(cancellationToken);
        await RefreshAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Learns what other nodes have added.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Unknown);
        command.Parameters.Add(Kids());
        await LoadAsync(command, cancellationToken);
    }

    public async Task<AuditKeyRotated> RotateAsync(CancellationToken cancellationToken)
    {
        var signsFrom = clock.GetUtcNow() + Announcement;
        await using var command = database.CreateCommand(Insert);
        var kid = await AddAsync(command, signsFrom, cancellationToken);
        await RefreshAsync(cancellationToken);
        return new AuditKeyRotated(kid, signsFrom);
    }

    public void Dispose() => Array.ForEach(_keys, key => key.Signing.Dispose());

    private NpgsqlParameter<string[]> Kids() => new() { TypedValue = Array.ConvertAll(_keys, key => key.Signing.Kid) };

    private async Task LoadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var read = new List<Key>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = SigningKey.Import(reader.GetString(0), sealer.Open(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<DateTimeOffset>(2));
            read.Add(new Key(key, key.Derive(MarkPurpose)));
        }

        if (read.Count > 0)
        {
            lock (_lock)
            {
                _keys = [.. _keys.Concat(read).DistinctBy(key => key.Signing.Kid, StringComparer.Ordinal).OrderByDescending(key => key.Signing.SignsFrom)];
            }
        }
    }

    private async Task<string> AddAsync(NpgsqlCommand insert, DateTimeOffset signsFrom, CancellationToken cancellationToken)
    {
        using var key = SigningKey.New(signsFrom);
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key.Kid });
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = sealer.Seal(key.Export()) });
        insert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = signsFrom.UtcDateTime });
        await insert.ExecuteNonQueryAsync(cancellationToken);
        LogKeyMade(key.Kid, signsFrom);
        return key.Kid;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The trail is signed with key {Kid} from {SignsFrom:u} on")]
    private partial void LogKeyMade(string kid, DateTimeOffset signsFrom);

    private sealed record Key(SigningKey Signing, byte[] Marking);
}
