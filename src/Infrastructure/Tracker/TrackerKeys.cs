using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Application.Tracker;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Tenancy;

namespace Vtp.Infrastructure.Tracker;

/// <summary>
/// The installation's own keys, and tokens of peers. A token is sealed and names the SHA-256 of the key that it was issued
/// for, which is looked up each time: what ends the key ends the token, and what it may do is what the key may do now.
/// </summary>
internal sealed partial class TrackerKeys(
    NpgsqlDataSource database,
    TrackerOptions options,
    IApiKeyReader projectKeys,
    KnownKeys knownKeys,
    IDataProtectionProvider protection,
    TimeProvider clock,
    ILogger<TrackerKeys> logger) : BackgroundService, ITrackerKeys
{
    private const string Prefix = "vtpt_";
    private const int MaximumLength = 1024;
    private const int HashSize = SHA256.HashSizeInBytes;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan LooksEvery = TimeSpan.FromSeconds(5);

    // Of the organization and the project that the configured keys open, in every installation.
    private static readonly OrganizationId OwnOrganization = new(new Guid("00000000-0000-7000-8000-74726b6f7267"));
    private static readonly ProjectId OwnProject = new(new Guid("00000000-0000-7000-8000-74726b707270"));

    private const string MakeOwn =
        """
        WITH organization AS (
            INSERT INTO organizations (id, name, admin_email, plan, audit_retention_days, created_at, updated_at)
            VALUES ($1, 'File tracker', 'file-tracker@vtp.invalid', 'free', $3, $4, $4) ON CONFLICT DO NOTHING)
        INSERT INTO projects (id, organization_id, name, region, chat_enabled, video_enabled, activity_feed_enabled, moderation_enabled, created_at, updated_at)
        VALUES ($2, $1, 'File tracker', 'eu_west', false, false, false, false, $4, $4) ON CONFLICT DO NOTHING
        """;

    private const string FindPublic =
        """
        SELECT organization_id, audit_retention_days, projects.deleted_at IS NULL AND organizations.deleted_at IS NULL
        FROM projects JOIN organizations ON organizations.id = organization_id WHERE projects.id = $1
        """;

    private readonly (byte[] Hash, TrackerCredential Credential)[] _configured =
    [
        .. options.Keys.Select(key => (key.Hash, new TrackerCredential(
            new Guid(key.Hash.AsSpan(0, 16)), Key: null, PeerId: null, OwnOrganization, OwnProject, key.Role, Organization.DefaultAuditRetentionDays))),
    ];

    private readonly IDataProtector _protector = protection.CreateProtector("vtp.tracker.tokens.v1");

    public TrackerCaller? Keyless { get; private set; }

    private ProjectId? PublicProject => (options.PublicProject ?? (options.Keys.Count > 0 ? OwnProject.Value : null)) is { } id ? new ProjectId(id) : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Keys.Count > 0)
        {
            await using var make = database.CreateSystemCommand(
                MakeOwn,
                new NpgsqlParameter<Guid> { TypedValue = OwnOrganization.Value },
                new NpgsqlParameter<Guid> { TypedValue = OwnProject.Value },
                new NpgsqlParameter<int> { TypedValue = Organization.DefaultAuditRetentionDays },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
            await make.ExecuteNonQueryAsync(cancellationToken);
        }

        if (PublicProject is { } project)
        {
            if (!await ReadPublicAsync(project, cancellationToken))
            {
                throw new StartupFault($"Tracker:PublicProject: there is no project {project}.");
            }
        }

        await base.StartAsync(cancellationToken);
    }

    /// <summary>A project that is deleted is open to nobody any more, and one that is restored is again.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (PublicProject is not { } project)
        {
            return;
        }

        using var timer = new PeriodicTimer(LooksEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await ReadPublicAsync(project, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogStays(exception);
            }
        }
    }

    public TrackerCredential? FindConfigured(string key)
    {
        if (options.Keys.Count == 0 || key.Length > MaximumLength)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[MaximumLength * 3], hash = stackalloc byte[HashSize];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(key, text)], hash);
        return Configured(hash);
    }

    public async ValueTask<Result<TrackerCredential>> ReadKeyAsync(string key, IPAddress? address, CancellationToken cancellationToken)
    {
        if (FindConfigured(key) is { } configured)
        {
            return configured;
        }

        return (await projectKeys.ReadAsync(key, secret: null, address, cancellationToken)).TryGet(out var known, out var refusal) ? Of(known) : refusal;
    }

    public async ValueTask<Result<TrackerCredential>> ReadTokenAsync(string token, IPAddress? address, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (Open(token) is not { } opened || opened.ExpiresAt <= now)
        {
            return TrackerRefusals.TokenRejected;
        }

        var key = Configured(opened.KeyHash);
        if (key is null)
        {
            var known = await knownKeys.FindAsync(KeyHash.Of(opened.KeyHash), cancellationToken);
            if (known?.IsAliveAt(now) != true)
            {
                return TrackerRefusals.TokenRejected;
            }

            if (!known.Admits(address))
            {
                return ApiKeyRefusals.AddressNotAllowed;
            }

            key = Of(known.Caller);
        }

        return key.ForPeer(opened.PeerId);
    }

    public PeerToken IssueToken(string key, string peerId)
    {
        var expires = DateTimeOffset.FromUnixTimeSeconds((clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds());
        var plain = new byte[sizeof(long) + HashSize + Encoding.UTF8.GetByteCount(peerId)];
        BinaryPrimitives.WriteInt64BigEndian(plain, expires.ToUnixTimeSeconds());
        SHA256.HashData(Encoding.UTF8.GetBytes(key), plain.AsSpan(sizeof(long), HashSize));
        Encoding.UTF8.GetBytes(peerId, plain.AsSpan(sizeof(long) + HashSize));
        return new PeerToken(Prefix + Base64Url.EncodeToString(_protector.Protect(plain)), expires);
    }

    private (byte[] KeyHash, string PeerId, DateTimeOffset ExpiresAt)? Open(string token)
    {
        if (token.Length > MaximumLength || !token.StartsWith(Prefix, StringComparison.Ordinal) || !Base64Url.IsValid(token.AsSpan(Prefix.Length)))
        {
            return null;
        }

        try
        {
            var plain = _protector.Unprotect(Base64Url.DecodeFromChars(token.AsSpan(Prefix.Length))).AsSpan();
            return (
                plain[sizeof(long)..(sizeof(long) + HashSize)].ToArray(),
                Encoding.UTF8.GetString(plain[(sizeof(long) + HashSize)..]),
                DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(plain)));
        }
        catch (CryptographicException)
        {
            return null; // Not sealed by us.
        }
    }

    /// <summary>All are compared, each in constant time.</summary>
    private TrackerCredential? Configured(ReadOnlySpan<byte> hash)
    {
        TrackerCredential? found = null;
        foreach (var (known, credential) in _configured)
        {
            found = CryptographicOperations.FixedTimeEquals(known, hash) ? credential : found;
        }

        return found;
    }

    /// <returns>False: there never was one, or it is gone for good.</returns>
    private async Task<bool> ReadPublicAsync(ProjectId project, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateSystemCommand(FindPublic, new NpgsqlParameter<Guid> { TypedValue = project.Value });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var isKnown = await reader.ReadAsync(cancellationToken);
        Keyless = isKnown && reader.GetBoolean(2)
            ? new TrackerCaller(new OrganizationId(reader.GetGuid(0)), project, TrackerRole.Guest, Credential: null, Key: null, PeerId: null, reader.GetInt32(1))
            : null;
        return isKnown;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether the public project is still there could not be read; it stays as it was")]
    private partial void LogStays(Exception exception);

    private static TrackerCredential Of(ProjectKey key) =>
        new(key.KeyId, Key: null, PeerId: null, key.OrganizationId, key.ProjectId, key.TrackerRole, key.AuditRetentionDays);
}
