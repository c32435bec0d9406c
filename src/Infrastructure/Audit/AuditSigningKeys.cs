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
/// verified for years, so that none of them ever ceases to be published. The first node to start makes the first one.
/// </summary>
internal sealed partial class AuditSigningKeys(NpgsqlDataSource database, SecretSealer sealer, TimeProvider clock, ILogger<AuditSigningKeys> logger)
    : IHostedService, IAuditKeys, IDisposable
{
    // "vtpa" in ASCII.
    private const int CreationLock = 0x76747061;

    private List<SigningKey> _keys = [];

    public IReadOnlyList<JsonWebKey> PublicKeys => [.. _keys.Select(key => key.Public)];

    /// <summary>A JWS in compact form, by the newest key.</summary>
    public string Sign(string type, byte[] payload)
    {
        var key = _keys[0];
        var input = AuditSignature.SigningInput(key.Kid, type, payload);
        Span<byte> signature = stackalloc byte[64];
        key.Sign(Encoding.ASCII.GetBytes(input), signature);
        return AuditSignature.Join(input, signature);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var work = await AuditTransaction.BeginAsync(database, cancellationToken);
        await work.RunAsync("SELECT pg_advisory_xact_lock($1)", cancellationToken, new NpgsqlParameter<int> { TypedValue = CreationLock });
        await using (var command = work.Command("SELECT kid, private_key, signs_from FROM audit_signing_keys ORDER BY signs_from DESC"))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                _keys.Add(SigningKey.Import(reader.GetString(0), sealer.Open(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<DateTimeOffset>(2)));
            }
        }

        if (_keys.Count == 0)
        {
            var key = SigningKey.New(clock.GetUtcNow());
            _keys.Add(key);
            await work.RunAsync(
                "INSERT INTO audit_signing_keys (kid, private_key, signs_from) VALUES ($1, $2, $3)",
                cancellationToken,
                new NpgsqlParameter<string> { TypedValue = key.Kid },
                new NpgsqlParameter<byte[]> { TypedValue = sealer.Seal(key.Export()) },
                new NpgsqlParameter<DateTime> { TypedValue = key.SignsFrom.UtcDateTime });
            LogKeyMade(key.Kid);
        }

        await work.CommitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _keys.ForEach(key => key.Dispose());

    [LoggerMessage(Level = LogLevel.Information, Message = "The trail is signed with key {Kid}")]
    private partial void LogKeyMade(string kid);
}
