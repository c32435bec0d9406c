using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Vtp.Application.Common;
using Vtp.Application.Webhooks;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Common;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Persistence.Configurations;
using Vtp.Infrastructure.Secrets;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>Whole batches in a statement each; what is written joins the transaction of the unit of work.</summary>
internal sealed class WebhookQueue(NpgsqlDataSource database, VtpDbContext db, TenantScope scope, SecretSealer sealer, IEd25519 ed25519, TimeProvider clock)
    : IWebhookQueue
{
    public async Task<WebhookTarget?> OpenAsync(Guid endpoint, CancellationToken cancellationToken)
    {
        await using var batch = Scoped(WebhookStatements.Open, Of(endpoint), Of(clock.GetUtcNow()));
        await using var reader = await batch.ReadAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }

        string[] secrets = Array.ConvertAll(reader.GetFieldValue<byte[][]>(5), secret => Encoding.ASCII.GetString(sealer.Open(secret)));
        return new WebhookTarget(
            new Uri(reader.GetString(0)),
            Enum.Parse<WebhookOrdering>(reader.GetString(1), ignoreCase: true),
            reader.GetBoolean(2),
            reader.IsDBNull(3) ? RetrySchedule.Standard : new RetrySchedule(Array.ConvertAll(reader.GetFieldValue<int[]>(3), second => TimeSpan.FromSeconds(second))),
            [.. secrets.Select(text => WebhookSecret.TryParse(text, out var secret) ? secret : null).OfType<WebhookSecret>()],
            [.. secrets.Select(text => WebhookKeyPair.TryParse(text, ed25519, out var pair) ? pair : null).OfType<WebhookKeyPair>()],
            HealthJson.Read(reader.GetString(4)));
    }

    public async Task ForgetRemovedAsync(Guid endpoint, CancellationToken cancellationToken)
    {
        await using var batch = Scoped(WebhookStatements.ForgetRemoved, Of(endpoint));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<IReadOnlyList<DueDelivery>> TakeAsync(Guid endpoint, WebhookOrdering ordering, int limit, CancellationToken cancellationToken)
    {
        await using var batch = Scoped(
            ordering == WebhookOrdering.Subject ? WebhookStatements.TakeInOrder : WebhookStatements.Take,
            Of(endpoint),
            Of(clock.GetUtcNow()),
            new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await batch.ReadAsync(cancellationToken);
        var due = new List<DueDelivery>();
        while (await reader.ReadAsync(cancellationToken))
        {
            due.Add(new DueDelivery(
                reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetGuid(2), reader.GetString(3), reader.GetInt32(4), reader.GetInt32(5),
                reader.IsDBNull(6) ? null : reader.GetString(6)));
        }

        return due;
    }

    public async Task SettleAsync(Guid endpoint, Uri url, IReadOnlyList<MadeAttempt> attempts, EndpointHealth health, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var batch = InTransaction();
        if (attempts.Count > 0)
        {
            MadeAttempt[] made = [.. attempts];
            Add(
                batch,
                WebhookStatements.SettleDeliveries,
                Many(NpgsqlDbType.Uuid, made, one => one.Delivery.Id),
                Many(NpgsqlDbType.TimestampTz, made, one => one.Delivery.RecordedAt),
                Many(NpgsqlDbType.Text, made, one => one.State.ToString().ToLowerInvariant()),
                Many(NpgsqlDbType.TimestampTz, made, one => one.Next),
                Many(NpgsqlDbType.TimestampTz, made, one => one.At),
                Many(NpgsqlDbType.Integer, made, one => one.Answer.Status),
                Many(NpgsqlDbType.Text, made, one => one.State == DeliveryState.Delivered ? null : ErrorOf(one.Answer)),
                Many(NpgsqlDbType.TimestampTz, made, one => one.State == DeliveryState.Pending ? (DateTimeOffset?)null : now));
            Add(
                batch,
                WebhookStatements.AddAttempts,
                Of(endpoint),
                new NpgsqlParameter<string> { TypedValue = url.AbsoluteUri },
                Many(NpgsqlDbType.Uuid, made, one => Uuid.NewVersion7(one.At)),
                Many(NpgsqlDbType.Uuid, made, one => one.Delivery.Id),
                Many(NpgsqlDbType.Integer, made, one => one.Delivery.EarlierAttempts + one.Delivery.Attempts + 1),
                Many(NpgsqlDbType.Text, made, one => JsonSerializer.Serialize(one.Headers.ToDictionary(StringComparer.Ordinal), JsonSerializerOptions.Default)),
                Many(NpgsqlDbType.Text, made, one => VtpDbContext.SnakeCase(one.Answer.Outcome.ToString())),
                Many(NpgsqlDbType.Integer, made, one => one.Answer.Status),
                Many(NpgsqlDbType.Text, made, one => one.Answer.Body),
                Many(NpgsqlDbType.Boolean, made, one => one.Answer.IsTruncated),
                Many(NpgsqlDbType.Text, made, one => one.Answer.Detail),
                Many(NpgsqlDbType.Integer, made, one => (int)one.Answer.Duration.TotalMilliseconds),
                Many(NpgsqlDbType.TimestampTz, made, one => one.At));
        }

        Add(
            batch,
            WebhookStatements.SetHealth,
            Of(endpoint),
            new NpgsqlParameter { Value = HealthJson.Write(health), NpgsqlDbType = NpgsqlDbType.Jsonb },
            Of(health.DisabledAt),
            Of(attempts.Count == 0 ? null : attempts.Max(one => one.At)),
            Of(attempts.Any(one => one.State == DeliveryState.Delivered) ? attempts.Where(one => one.State == DeliveryState.Delivered).Max(one => one.At) : null));
        if (health.DisabledAt is not null)
        {
            Add(batch, WebhookStatements.GiveUp, Of(endpoint), Of(now));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<DateTimeOffset?> NextDueAsync(Guid endpoint, DateTimeOffset after, CancellationToken cancellationToken)
    {
        await using var batch = Scoped(WebhookStatements.NextDue, Of(endpoint), Of(after));
        await using var reader = await batch.ReadAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !reader.IsDBNull(0) ? reader.GetFieldValue<DateTimeOffset>(0) : null;
    }

    public async Task<(int Queued, DateTimeOffset? Through)> ReplayAsync(
        Guid endpoint,
        DateTimeOffset first,
        DateTimeOffset before,
        IReadOnlyList<string> patterns,
        ReplayedDeliveries which,
        int limit,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        string[] states = which switch
        {
            ReplayedDeliveries.Failed => ["failed"],
            ReplayedDeliveries.Delivered => ["delivered"],
            ReplayedDeliveries.All => ["failed", "delivered"],
            _ => [],
        };
        var (queued, through) = await RunAsync(WebhookStatements.ReplayDeliveries, limit);
        if (which is not (ReplayedDeliveries.Missing or ReplayedDeliveries.All) || queued == limit)
        {
            return (queued, through);
        }

        var (missing, last) = await RunAsync(WebhookStatements.ReplayMissing, limit - queued);
        return (queued + missing, through > last ? through : last ?? through);

        async Task<(int Queued, DateTimeOffset? Through)> RunAsync(string sql, int most)
        {
            await using var batch = InTransaction();
            Add(
                batch,
                sql,
                Of(endpoint),
                Of(first),
                Of(before),
                new NpgsqlParameter<string[]> { TypedValue = [.. patterns] },
                new NpgsqlParameter<string[]> { TypedValue = states },
                new NpgsqlParameter<int> { TypedValue = most },
                Of(now));
            await using var reader = await batch.ReadAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1));
        }
    }

    private static string ErrorOf(WebhookAnswer answer) => answer.Detail ?? $"The endpoint answered {answer.Status}.";

    private static NpgsqlParameter<Guid> Of(Guid id) => new() { TypedValue = id };

    private static NpgsqlParameter Of(DateTimeOffset? time) => new() { Value = (object?)time?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    private static NpgsqlParameter Many<T>(NpgsqlDbType type, MadeAttempt[] made, Func<MadeAttempt, T> value) => SqlArray.Of("", type, made, value);

    private static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }

    private NpgsqlBatch Scoped(string sql, params NpgsqlParameter[] parameters) => database.CreateScopedCommand(scope, sql, inIndexOrder: false, parameters);

    /// <summary>Within the transaction that is open, which sees what the request may see.</summary>
    private NpgsqlBatch InTransaction()
    {
        var transaction = db.Database.CurrentTransaction?.GetDbTransaction() ?? throw new InvalidOperationException("Begin a transaction first.");
        var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction);
        Add(
            batch,
            ScopedCommands.SetByPosition,
            new NpgsqlParameter<string> { TypedValue = scope.Tenants },
            new NpgsqlParameter<string> { TypedValue = scope.Project?.ToString() ?? "" });
        return batch;
    }
}
