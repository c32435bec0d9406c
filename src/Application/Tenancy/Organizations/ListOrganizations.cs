using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Organizations;

/// <summary>The caller's organizations, newest first.</summary>
/// <param name="Search">Part of a name or admin_email, without case and accents.</param>
/// <param name="Deleted">True lists those that an owner can still bring back.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewOrganization)]
public sealed record ListOrganizationsQuery(string? Search, bool? Deleted, int? Page, int? Limit)
    : IQuery<Page<OrganizationView>>, IAboutOrganization, ISeesDeleted
{
    OrganizationId? IAboutOrganization.Organization => null;
}

internal sealed class ListOrganizationsValidator : AbstractValidator<ListOrganizationsQuery>
{
    public ListOrganizationsValidator() => RuleFor(query => query.Search).IsSearch();
}

internal sealed class ListOrganizationsHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<ListOrganizationsQuery, Result<Page<OrganizationView>>>
{
    public async Task<Result<Page<OrganizationView>>> Handle(ListOrganizationsQuery request, CancellationToken cancellationToken)
    {
        var organizations = db.Organizations.AsNoTracking();
        if (request.Deleted == true)
        {
            var undoable = clock.GetUtcNow() - Domain.Tenancy.SoftDelete.UndoFor;
            organizations = organizations.WithDeleted().Where(organization => organization.DeletedAt > undoable);
        }

        if (!string.IsNullOrWhiteSpace(request.Search))
        {
            organizations = organizations.Where(organization =>
                EF.Functions.Like(EF.Property<string>(organization, Queries.SearchText), Queries.Fold(Queries.Anywhere(request.Search)), Queries.Escape));
        }

        return await organizations.OrderByDescending(organization => organization.Id)
            .AsViews(db, caller.Required().AccountId)
            .ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
