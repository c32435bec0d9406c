using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vtp.Application.Common;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Secrets;

namespace Vtp.Infrastructure.Idempotency;

/// <summary>
/// Answers in the database that the change goes to, written in its transaction. A lock that dies with that transaction
/// tells repeats on every node that the first one runs; the table's key is what makes two of them impossible.
/// </summary>
internal sealed class IdempotencyStore(VtpDbContext db, SecretSealer sealer, TimeProvider clock) : IIdempotencyStore
{
    public static readonly TimeSpan KeepFor = TimeSpan.FromHours(24);

    private const int TagBytes = 16;

    private NpgsqlConnection Connection => (NpgsqlConnection)db.Database.GetDbConnection();

    public async Task<(IdempotencyState State, object? Answer)> BeginAsync(
        IdempotencyKey key, Type answerType, CancellationToken cancellationToken)
    {
        await db.HoldAsync(cancellationToken);

        // Two statements, for the second must see what was committed before the first got the lock.
        await using var batch = new NpgsqlBatch(Connection)
        {
            BatchCommands =
            {
                new("SELECT pg_try_advisory_xact_lock($1)")
                {
                    Parameters = { new() { Value = BinaryPrimitives.ReadInt64BigEndian(key.Hash) } },
                },
                new("SELECT fingerprint, answer FROM idempotency_keys WHERE key_hash = $1 AND answered_at > $2")
                {
                    Parameters = { new() { Value = key.Hash }, new() { Value = clock.GetUtcNow() - KeepFor } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var isLocked = reader.GetBoolean(0);
        await reader.NextResultAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return (isLocked ? IdempotencyState.Begun : IdempotencyState.InFlight, null);
        }

        return sealer.Open(reader.GetFieldValue<byte[]>(0)).AsSpan().SequenceEqual(key.Fingerprint)
            ? (IdempotencyState.Answered, AnswerJson.Read(Open(key, reader.GetFieldValue<byte[]>(1)), answerType))
            : (IdempotencyState.Mismatch, null);
    }

    public async Task<bool> CompleteAsync(IdempotencyKey key, object answer, Type answerType, CancellationToken cancellationToken)
    {
        if (db.PendingAudit is not null)
        {
            db.ForgetChanges(); // What the handler has not saved it did not mean to save.
            await db.SaveChangesAsync(cancellationToken);
        }

        var now = clock.GetUtcNow();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO idempotency_keys AS known (key_hash, fingerprint, answer, answered_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (key_hash) DO UPDATE
            SET fingerprint = excluded.fingerprint, answer = excluded.answer, answered_at = excluded.answered_at
            WHERE known.answered_at <= $5
            """,
            Connection)
        {
            Parameters =
            {
                new() { Value = key.Hash },
                new() { Value = sealer.Seal(key.Fingerprint) },
                new() { Value = Seal(key, AnswerJson.Write(answer, answerType)) },
                new() { Value = now },
                new() { Value = now - KeepFor },
            },
        };
        if (await insert.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return false;
        }

        await db.CommitHeldAsync(cancellationToken);
        return true;
    }

    public Task EndAsync() => db.EndHoldAsync();

    private byte[] Seal(IdempotencyKey key, byte[] answer)
    {
        if (key.AnswerKey is { } secret)
        {
            var (nonce, tag) = (RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize), new byte[TagBytes]);
            using var cipher = new AesGcm(secret, TagBytes);
            cipher.Encrypt(nonce, answer, answer, tag);
            answer = [.. nonce, .. tag, .. answer];
        }

        return sealer.Seal(answer);
    }

    private byte[] Open(IdempotencyKey key, byte[] kept)
    {
        var answer = sealer.Open(kept);
        if (key.AnswerKey is not { } secret)
        {
            return answer;
        }

        var (nonce, text) = (AesGcm.NonceByteSizes.MaxSize, answer.AsSpan(AesGcm.NonceByteSizes.MaxSize + TagBytes).ToArray());
        using var cipher = new AesGcm(secret, TagBytes);
        cipher.Decrypt(answer.AsSpan(0, nonce), text, answer.AsSpan(nonce, TagBytes), text);
        return text;
    }
}
