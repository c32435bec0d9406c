using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Application.Tenancy;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Common;

namespace Vtp.Application.Webhooks.Operations;

/// <summary>Where the events of all projects of the installation are sent, and how it goes, newest first. All filters that are sent must fit.</summary>
/// <param name="Search">Part of the address or the description, or of the project's or the organization's name, without case and accents.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.Operate)]
public sealed record ListAllWebhooksQuery(WebhookStatus? Status, string? Search, int? Page, int? Limit) : IQuery<Page<InstallationWebhook>>;

internal sealed class ListAllWebhooksValidator : AbstractValidator<ListAllWebhooksQuery>
{
    public ListAllWebhooksValidator() => RuleFor(query => query.Search).IsSearch();
}

internal sealed class ListAllWebhooksHandler(IVtpDb db, TenantScope tenant, TimeProvider clock)
    : IRequestHandler<ListAllWebhooksQuery, Result<Page<InstallationWebhook>>>
{
    public async Task<Result<Page<InstallationWebhook>>> Handle(ListAllWebhooksQuery request, CancellationToken cancellationToken)
    {
        tenant.EnterSystem();
        var rows = db.WebhooksOfAllTenants();
        rows = request.Status switch
        {
            WebhookStatus.Off => rows.Where(row => !row.Endpoint.IsEnabled),
            WebhookStatus.Disabled => rows.Where(row => row.Endpoint.IsEnabled && row.Health.DisabledAt != null),
            WebhookStatus.Paused => rows.Where(row => row.Endpoint.IsEnabled && row.Health.DisabledAt == null && EF.Property<bool>(row.Health, Queries.IsPaused)),
            WebhookStatus.Active => rows.Where(row => row.Endpoint.IsEnabled && row.Health.DisabledAt == null && !EF.Property<bool>(row.Health, Queries.IsPaused)),
            _ => rows,
        };
        if (!string.IsNullOrWhiteSpace(request.Search))
        {
            var part = Queries.Anywhere(request.Search);
            rows = rows.Where(row =>
                EF.Functions.Like(Queries.Fold(row.Endpoint.Url), Queries.Fold(part), Queries.Escape)
                || EF.Functions.Like(Queries.Fold(row.Endpoint.Description ?? ""), Queries.Fold(part), Queries.Escape)
                || EF.Functions.Like(EF.Property<string>(row.Project, Queries.SearchText), Queries.Fold(part), Queries.Escape)
                || EF.Functions.Like(Queries.Fold(row.Organization.Name), Queries.Fold(part), Queries.Escape));
        }

        var page = await rows.OrderByDescending(row => row.Endpoint.Id).WithFigures(db, clock.GetUtcNow()).ToPageAsync(request.Page, request.Limit, cancellationToken);
        return new Page<InstallationWebhook>([.. page.Data.Select(InstallationWebhook.Of)], page.Pagination);
    }
}
