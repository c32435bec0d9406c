using Npgsql;
using Vtp.Application.Common;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Infrastructure.Events;

namespace Vtp.Infrastructure.Webhooks;

/// <summary>Makes a delivery of each event for each endpoint that asked for it, and wakes who sends them.</summary>
internal sealed class WebhookFanOut(TimeProvider clock) : IEventConsumer
{
    internal static readonly JobKind Job = JobKind.Of(typeof(DeliverWebhooksCommand))!;

    public string Name => "webhooks";

    public async Task ConsumeAsync(NpgsqlConnection connection, long after, long upTo, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(WebhookStatements.FanOut, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Job.Name });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Job.Policy.MaxAttempts });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
