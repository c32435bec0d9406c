using MediatR;
using Vtp.Api.Http;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Application.Webhooks.Operations;

namespace Vtp.Api.Console.Operators;

/// <summary>Where events of all projects are sent, and how it goes: the same use cases as <c>/api/v1/admin/webhooks</c>, for people.</summary>
internal static class WebhookPages
{
    public const string Webhooks = "/console/webhooks";

    private const int OfOnePage = 50;

    public static void MapWebhookPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet(Webhooks, ShowAll).Runs(typeof(ListAllWebhooksQuery));
        pages.MapGet(Webhooks + "/{id:guid}", ShowOne).Runs(typeof(GetAnyWebhookQuery));
    }

    /// <summary>The list with these filters; what is null is left out.</summary>
    public static string Address(WebhookStatus? status, string? search, int? page) => Webhooks + QueryString.Create(
        new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["status"] = status?.ToString().ToLowerInvariant(),
            ["search"] = search,
            ["page"] = page?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        }.Where(pair => pair.Value is not null));

    private static async Task<IResult> ShowAll(Word<WebhookStatus>? status, string? search, int? page, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListAllWebhooksQuery(status?.Value, search, page, OfOnePage), ct)).TryGet(out var found, out var refusal)
            ? Pages.Page<WebhooksPage>(new { Found = found, Status = status?.Value, Search = search })
            : OperatorForms.Refused(refusal, Webhooks);

    private static async Task<IResult> ShowOne(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetAnyWebhookQuery(id), ct)).TryGet(out var details, out var refusal)
            ? Pages.Page<WebhookPage>(new { details.Webhook, details.Attempts })
            : OperatorForms.Refused(refusal, Webhooks);
}
