using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Application.Webhooks.Operations;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Webhooks;

internal static class WebhookEndpoints
{
    public static void MapWebhooks(this IEndpointRouteBuilder api)
    {
        var webhooks = api.MapGroup("/projects/{id:guid}/webhooks").WithTags("Webhooks").NeverStored();
        webhooks.MapGet("", List).Runs<ListWebhooksQuery>("List where events are sent");
        webhooks.MapPost("", Create).Runs<CreateWebhookCommand>("Send events to one more address", Status409Conflict);
        webhooks.MapGet("/{webhook_id:guid}", Get).Runs<GetWebhookQuery>("Read one endpoint");
        webhooks.MapPut("/{webhook_id:guid}", Update).Runs<UpdateWebhookCommand>("Change an endpoint");
        webhooks.MapDelete("/{webhook_id:guid}", Delete).Runs<DeleteWebhookCommand>("Remove an endpoint");
        webhooks.MapPost("/{webhook_id:guid}/enable", Enable).Runs<EnableWebhookCommand>("Enable what was disabled", Status409Conflict);
        webhooks.MapPost("/{webhook_id:guid}/rotate-secret", RotateSecret).Runs<RotateWebhookSecretCommand>("Sign with a new secret");
        webhooks.MapPost("/{webhook_id:guid}/test", Test).Runs<TestWebhookCommand>("Send a test", Status409Conflict);
        webhooks.MapPost("/{webhook_id:guid}/replay", Replay).Runs<ReplayWebhookCommand>("Send a stretch of time again", Status409Conflict);

        var logs = api.MapGroup("/webhooks/logs").WithTags("Webhooks").NeverStored();
        logs.MapGet("", ListDeliveries).Runs<ListDeliveriesQuery>("See how deliveries went");
        logs.MapGet("/{delivery_id:guid}", GetDelivery).Runs<GetDeliveryQuery>("Read one delivery with its attempts");
        logs.MapPost("/{delivery_id:guid}/retry", RetryDelivery).Runs<RetryDeliveryCommand>("Send one delivery again", Status409Conflict);

        var admin = api.MapGroup("/admin/webhooks").WithTags("Webhooks").NeverStored();
        admin.MapGet("", ListAll).Runs<ListAllWebhooksQuery>("List where events of all projects are sent");
        admin.MapGet("/{id:guid}", GetAny).Runs<GetAnyWebhookQuery>("Read any project's endpoint with its last attempts", Status404NotFound);
    }

    private static async Task<Results<Ok<WebhookList>, RefusedHttpResult>> List(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListWebhooksQuery(id), ct)).ToHttp();

    private static async Task<Results<Created<WebhookIssued>, RefusedHttpResult>> Create(
        Guid id, CreateWebhookCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToCreated(issued => $"/api/v1/projects/{id}/webhooks/{issued.Webhook.Id}");

    private static async Task<Results<Ok<WebhookDetails>, RefusedHttpResult>> Get(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetWebhookQuery(id, webhookId), ct)).ToHttp();

    private static async Task<Results<Ok<WebhookView>, RefusedHttpResult>> Update(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, UpdateWebhookCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id, WebhookId = webhookId }, ct)).ToHttp();

    private static async Task<Results<NoContent, RefusedHttpResult>> Delete(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new DeleteWebhookCommand(id, webhookId), ct)).ToNoContent();

    private static async Task<Results<Ok<WebhookView>, RefusedHttpResult>> Enable(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new EnableWebhookCommand(id, webhookId), ct)).ToHttp();

    private static async Task<Results<Ok<WebhookIssued>, RefusedHttpResult>> RotateSecret(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, RotateWebhookSecretCommand? command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send((command ?? new(default, default, null)) with { Id = id, WebhookId = webhookId }, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Test(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new TestWebhookCommand(id, webhookId), ct)).ToHttp();

    private static async Task<Results<Ok<WebhookReplayed>, RefusedHttpResult>> Replay(
        Guid id, [FromRoute(Name = "webhook_id")] Guid webhookId, ReplayWebhookCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id, WebhookId = webhookId }, ct)).ToHttp();

    private static async Task<Results<Ok<CursorPage<DeliveryView>>, RefusedHttpResult>> ListDeliveries(
        [FromQuery(Name = "org_id")] Guid? orgId,
        [FromQuery(Name = "project_id")] Guid? projectId,
        [FromQuery(Name = "webhook_id")] Guid? webhookId,
        [FromQuery(Name = "event_id")] Guid? eventId,
        [FromQuery(Name = "event_type")] string? eventType,
        Word<DeliveryStatus>? status,
        string? cursor,
        int? limit,
        IMediator mediator,
        CancellationToken ct) =>
        (await mediator.Send(new ListDeliveriesQuery(orgId, projectId, webhookId, eventId, eventType, status?.Value, cursor, limit), ct)).ToHttp();

    private static async Task<Results<Ok<DeliveryDetails>, RefusedHttpResult>> GetDelivery(
        [FromRoute(Name = "delivery_id")] Guid deliveryId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetDeliveryQuery(deliveryId), ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> RetryDelivery(
        [FromRoute(Name = "delivery_id")] Guid deliveryId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RetryDeliveryCommand(deliveryId), ct)).ToHttp();

    private static async Task<Results<Ok<Page<InstallationWebhook>>, RefusedHttpResult>> ListAll(
        Word<WebhookStatus>? status, string? search, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListAllWebhooksQuery(status?.Value, search, page, limit), ct)).ToHttp();

    private static async Task<Results<Ok<InstallationWebhookDetails>, RefusedHttpResult>> GetAny(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetAnyWebhookQuery(id), ct)).ToHttp();
}
