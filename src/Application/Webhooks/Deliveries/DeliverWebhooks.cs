using System.Diagnostics;
using System.Text;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Notifications;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Common;
using Vtp.Domain.Notifications;
using Vtp.Domain.Webhooks;

namespace Vtp.Application.Webhooks.Deliveries;

/// <summary>
/// Sends one endpoint what is due, a batch at a time, and comes back when the next one is. Of one endpoint one runs on all
/// nodes, so that its breaker counts truly and its order holds; a node that dies leaves what it had not written down to the
/// next, which sends it again under the same ids.
/// </summary>
[Job("webhooks.deliver", OwnPlaces = 64, PerTenant = 16, MaxAttempts = 100, FirstRetrySeconds = 1, LongestRetrySeconds = 60)]
[Requires(Permission.Anyone)]
public sealed record DeliverWebhooksCommand(Guid EndpointId) : ICommand<Done>;

internal sealed class DeliverWebhooksHandler(IVtpDb db, IWebhookQueue queue, IWebhookSender sender, IEd25519 ed25519, TimeProvider clock)
    : IRequestHandler<DeliverWebhooksCommand, Result<Done>>
{
    private const int Batch = 200;
    private const int InFlight = 20;

    // Then others have their turn.
    private static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(5);

    public async Task<Result<Done>> Handle(DeliverWebhooksCommand request, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        EndpointHealth health;
        var waitsSince = DateTimeOffset.MinValue;
        do
        {
            // With each batch anew, for meanwhile its owner may have switched it off, moved or removed it.
            if (await queue.OpenAsync(request.EndpointId, cancellationToken) is not { } target)
            {
                await queue.ForgetRemovedAsync(request.EndpointId, cancellationToken);
                return Done.Value;
            }

            health = target.Health;
            var (admission, admitted) = health.Admit(clock.GetUtcNow());
            if (admission == Admission.Wait)
            {
                break;
            }

            var (looked, limit) = (clock.GetUtcNow(), admission == Admission.Probe ? 1 : Batch);
            var due = await queue.TakeAsync(request.EndpointId, target.Ordering, limit, cancellationToken);
            if (due.Count == 0)
            {
                waitsSince = looked;
                break;
            }

            if (admission == Admission.Probe)
            {
                await db.BeginAsync(cancellationToken);
                await queue.SettleAsync(request.EndpointId, target.Url, [], admitted, cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
            }

            var run = new Run(this, target, admitted, started, admission == Admission.Probe);
            await run.SendAsync(due, cancellationToken);
            health = run.Health;
            await db.BeginAsync(cancellationToken);
            await queue.SettleAsync(request.EndpointId, target.Url, run.Attempts, health, cancellationToken);
            if (run.Reached is { } milestone)
            {
                await TellOwnersAsync(request.EndpointId, milestone, health, cancellationToken);
            }

            await db.SaveChangesAsync(cancellationToken);
            if (due.Count < limit && target.Ordering == WebhookOrdering.None && health.State == BreakerState.Closed && clock.GetElapsedTime(started) < LongestRun)
            {
                waitsSince = looked;
                break;
            }
        }
        while (clock.GetElapsedTime(started) < LongestRun);

        // Where all that was due has been taken, what is due and still waits does so for one before it, which has a time of its own.
        if (health.DisabledAt is null && await queue.NextDueAsync(request.EndpointId, waitsSince, cancellationToken) is { } next)
        {
            db.Wake(request.EndpointId, health.AskAgainAt is { } later && later > next ? later : next);
            await db.SaveChangesAsync(cancellationToken);
        }

        return Done.Value;
    }

    private async Task TellOwnersAsync(Guid id, FailureMilestone milestone, EndpointHealth health, CancellationToken cancellationToken)
    {
        var endpoint = await db.WebhookEndpoints.SingleOrDefaultAsync(one => one.Id == id, cancellationToken);
        if (endpoint is null)
        {
            return;
        }

        var address = await db.Organizations.Where(one => one.Id == endpoint.OrganizationId).Select(one => one.AdminEmail).SingleAsync(cancellationToken);
        endpoint.Report(milestone, health.DisabledReason, health.FirstFailedAt);
        db.Send(OutgoingEmail.About(id, address, milestone == FailureMilestone.Disabled ? EmailKind.WebhookDisabled : EmailKind.WebhookFailing, clock.GetUtcNow()));
    }

    /// <summary>One batch: several at a time, and no more once the breaker opens or the run has lasted long enough.</summary>
    private sealed class Run(DeliverWebhooksHandler handler, WebhookTarget target, EndpointHealth health, long started, bool isProbe)
    {
        private readonly Lock _lock = new();
        private readonly List<MadeAttempt> _attempts = [];

        public EndpointHealth Health { get; private set; } = health;

        public FailureMilestone? Reached { get; private set; }

        public IReadOnlyList<MadeAttempt> Attempts => _attempts;

        public Task SendAsync(IReadOnlyList<DueDelivery> due, CancellationToken cancellationToken)
        {
            var waiting = new Queue<DueDelivery>(due);
            return Task.WhenAll(Enumerable.Range(0, Math.Min(InFlight, due.Count)).Select(async _ =>
            {
                while (Next(waiting) is { } delivery)
                {
                    await SendAsync(delivery, cancellationToken);
                }
            }));
        }

        private DueDelivery? Next(Queue<DueDelivery> waiting)
        {
            lock (_lock)
            {
                var mayGo = isProbe || (Health.DisabledAt is null && Health.State == BreakerState.Closed && handler.Clock.GetElapsedTime(started) < LongestRun);
                return mayGo && waiting.TryDequeue(out var delivery) ? delivery : null;
            }
        }

        private async Task SendAsync(DueDelivery delivery, CancellationToken cancellationToken)
        {
            var at = handler.Clock.GetUtcNow();
            var body = Encoding.UTF8.GetBytes(delivery.Body);
            IReadOnlyList<KeyValuePair<string, string>> headers =
                WebhookSignature.Headers(delivery.EventId.ToString(), at, body, target.Secrets, target.Pairs, handler.Ed25519);
            if (target is { SignsBody: true, Secrets: [var newest, ..] })
            {
                headers = [.. headers, WebhookSignature.BodyOnly(newest, body)];
            }

            using var span = StartAttempt(delivery);
            if ((span?.Id ?? delivery.TraceParent) is { } traceparent)
            {
                headers = [.. headers, new(TraceContext.Header, traceparent)];
            }

            var answer = await handler.Sender.SendAsync(new WebhookRequest(target.Url, headers, body), cancellationToken);
            span?.SetTag("vtp.outcome", answer.Outcome.ToString()).SetTag("http.response.status_code", answer.Status);
            if (RetrySchedule.Judge(answer.Status) != DeliveryVerdict.Delivered)
            {
                span?.SetStatus(ActivityStatusCode.Error);
            }

            lock (_lock)
            {
                Note(delivery, at, headers, answer);
            }
        }

        /// <summary>
        /// In the trace of its event: below this run where that is the run's own, else below the event, with a link to the run.
        /// Of the address only the host, for the path of many is a secret.
        /// </summary>
        private Activity? StartAttempt(DueDelivery delivery)
        {
            var (happened, run) = (TraceContext.Read(delivery.TraceParent), Activity.Current?.Context ?? default);
            var isOwn = happened == default || happened.TraceId == run.TraceId;
            var span = Telemetry.Source.StartActivity(
                ActivityKind.Client, isOwn ? run : happened, links: isOwn ? null : [new ActivityLink(run)], name: "webhook attempt");
            return span?.SetTag("http.request.method", "POST").SetTag("server.address", target.Url.IdnHost).SetTag("vtp.event.id", delivery.EventId)
                .SetTag("vtp.delivery.id", delivery.Id).SetTag("vtp.delivery.attempt", delivery.EarlierAttempts + delivery.Attempts + 1);
        }

        private void Note(DueDelivery delivery, DateTimeOffset at, IReadOnlyList<KeyValuePair<string, string>> headers, WebhookAnswer answer)
        {
            var now = handler.Clock.GetUtcNow();
            switch (RetrySchedule.Judge(answer.Status))
            {
                case DeliveryVerdict.Delivered:
                    Health = Health.Succeeded(now);
                    _attempts.Add(new MadeAttempt(delivery, at, headers, answer, DeliveryState.Delivered, Next: null));
                    break;
                case DeliveryVerdict.Gone:
                    (Health, var reached) = Health.Gone(now);
                    Reached = reached ?? Reached;
                    _attempts.Add(new MadeAttempt(delivery, at, headers, answer, DeliveryState.Failed, Next: null));
                    break;
                default:
                    (Health, var failed) = Health.Failed(isProbe, now);
                    Reached = failed ?? Reached;
                    var next = target.Retries.Next(delivery.Attempts + 1, now, answer.RetryAfter);
                    _attempts.Add(new MadeAttempt(delivery, at, headers, answer, next is null ? DeliveryState.Failed : DeliveryState.Pending, next));
                    break;
            }
        }
    }

    private TimeProvider Clock => clock;

    private IWebhookSender Sender => sender;

    private IEd25519 Ed25519 => ed25519;
}
