using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Application.Tenancy;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Infrastructure.Tenancy;

/// <summary>
/// The keys that this node has seen, good and bad. Whatever changes one (a revocation, a deleted project) is read when
/// another node tells of it, and each half second in any case, by the database's clock; when that has not succeeded for two seconds, requests ask the database themselves, so
/// that an old answer is never taken for a new one. Texts that are no key are remembered too, a bounded number of them.
/// </summary>
internal sealed partial class KnownKeys(
    [FromKeyedServices(Connections.Reads)] NpgsqlDataSource database, TimeProvider clock, ILogger<KnownKeys> logger) : BackgroundService
{
    /// <summary>What is told of a key, a project or an organization that has changed.</summary>
    public const string Channel = "!keys";

    private const int Capacity = 100_000;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Trusted = TimeSpan.FromMilliseconds(1500);

    // A transaction that changed a key may commit some time after the moment that was written down.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(90);

    // Who is told reads little, because many may be told; what is missed is read with the next poll.
    private static readonly TimeSpan Recent = TimeSpan.FromSeconds(5);

    private const string Columns =
        """
        SELECT key_hash, api_keys.id, api_keys.name, api_keys.organization_id, project_id, kind, environment, tracker_role, scopes, allowed_cidrs,
            expires_at, revoked_at, project.deleted_at IS NOT NULL OR organization.deleted_at IS NOT NULL, audit_retention_days
        FROM api_keys
        JOIN projects project ON project.id = project_id
        JOIN organizations organization ON organization.id = api_keys.organization_id
        """;

    private const string Changed = $"{Columns} WHERE changed_at > clock_timestamp() - $1";
    private const string ByHash = $"{Columns} WHERE key_hash = $1";

    private readonly Wakes _told = new();
    private ConcurrentDictionary<KeyHash, KnownKey?> _keys = new();
    private int _count;
    private long _readAt;

    /// <returns>Null for what is no key.</returns>
    public ValueTask<KnownKey?> FindAsync(KeyHash hash, CancellationToken cancellationToken) =>
        clock.GetElapsedTime(Volatile.Read(ref _readAt)) <= Trusted && _keys.TryGetValue(hash, out var known)
            ? ValueTask.FromResult(known)
            : new(AskAsync(hash, cancellationToken));

    /// <summary>Somebody on this node changes this key: the next request asks.</summary>
    public void Forget(byte[] hash) => _keys.TryRemove(KeyHash.Of(hash), out _);

    public void ForgetAll() => Interlocked.Exchange(ref _keys, new());

    public void Wake() => _told.Wake();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAllAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(PollAsync(stoppingToken), ListenAsync(stoppingToken));

    private async Task PollAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ReadAllAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReadFailed(exception);
            }
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _told.WaitAsync(stoppingToken);
            try
            {
                await ReadChangesAsync(Recent, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogReadFailed(exception);
            }

            await Task.Delay(Rest, stoppingToken);
        }
    }

    private async Task ReadAllAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        await ReadChangesAsync(Overlap, cancellationToken);
        Volatile.Write(ref _readAt, started);
    }

    private async Task ReadChangesAsync(TimeSpan window, CancellationToken cancellationToken)
    {
        await using var command = database.CreateSystemCommand(Changed, new NpgsqlParameter<TimeSpan> { TypedValue = window });
        await using var reader = await command.ReadAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            // Only what somebody uses here is kept here; and what was no key may have become one.
            var hash = KeyHash.Of(reader.GetFieldValue<byte[]>(0));
            if (_keys.TryGetValue(hash, out var old))
            {
                _keys.TryUpdate(hash, Read(reader), old);
            }
        }
    }

    private async Task<KnownKey?> AskAsync(KeyHash hash, CancellationToken cancellationToken)
    {
        var keys = Volatile.Read(ref _keys);
        await using var command = database.CreateSystemCommand(ByHash, new NpgsqlParameter { Value = hash.ToBytes(), NpgsqlDbType = NpgsqlDbType.Bytea });
        await using var reader = await command.ReadAsync(cancellationToken);
        var found = await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
        keys[hash] = found;
        if (Interlocked.Increment(ref _count) > Capacity)
        {
            Interlocked.Exchange(ref _count, 0);
            ForgetAll();
        }

        return found;
    }

    private static KnownKey Read(NpgsqlDataReader reader)
    {
        var kind = Enum.Parse<ApiKeyKind>(reader.GetString(5), ignoreCase: true);
        DateTimeOffset? expires = reader.IsDBNull(10) ? null : reader.GetFieldValue<DateTimeOffset>(10);
        DateTimeOffset? revoked = reader.IsDBNull(11) ? null : reader.GetFieldValue<DateTimeOffset>(11);
        var cidrs = reader.GetFieldValue<string[]>(9);
        var caller = new ProjectKey(
            reader.GetGuid(1),
            reader.GetString(2),
            new OrganizationId(reader.GetGuid(3)),
            new ProjectId(reader.GetGuid(4)),
            Enum.Parse<ApiKeyEnvironment>(reader.GetString(6), ignoreCase: true),
            Enum.Parse<TrackerRole>(reader.GetString(7), ignoreCase: true),
            reader.GetFieldValue<string[]>(8),
            expires,
            cidrs,
            HasSecret: kind == ApiKeyKind.Secret,
            reader.GetInt32(13));

        // A network that cannot be read admits nobody, rather than everybody; and one such key must not hide the others.
        var networks = Array.ConvertAll(cidrs, text => TenancyFormats.TryParseNetwork(text, out var network) ? network : (IPNetwork?)null);
        var isOver = reader.GetBoolean(12) || revoked is not null || networks.Contains(null);
        return new KnownKey(caller, kind, isOver ? DateTimeOffset.MinValue : expires ?? DateTimeOffset.MaxValue, [.. networks.OfType<IPNetwork>()]);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Changed API keys could not be read; requests ask the database until they can")]
    private partial void LogReadFailed(Exception exception);
}
