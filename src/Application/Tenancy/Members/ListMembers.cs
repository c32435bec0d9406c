using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Tenancy.Members;

/// <summary>The organization's members, newest first.</summary>
/// <param name="Search">Part of a name or address, without case and accents.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ViewOrganization)]
public sealed record ListMembersQuery(Guid Id, string? Search, MemberRole? Role, int? Page, int? Limit) : IQuery<Page<MemberView>>, IAboutOrganization
{
    OrganizationId? IAboutOrganization.Organization => new(Id);
}

internal sealed class ListMembersValidator : AbstractValidator<ListMembersQuery>
{
    public ListMembersValidator() => RuleFor(query => query.Search).IsSearch();
}

internal sealed class ListMembersHandler(IVtpDb db) : IRequestHandler<ListMembersQuery, Result<Page<MemberView>>>
{
    public async Task<Result<Page<MemberView>>> Handle(ListMembersQuery request, CancellationToken cancellationToken)
    {
        var id = new OrganizationId(request.Id);
        var members = db.Members.AsNoTracking().Where(member => member.OrganizationId == id);
        if (request.Role is { } role)
        {
            members = members.Where(member => member.Role == role);
        }

        if (!string.IsNullOrWhiteSpace(request.Search))
        {
            members = members.Where(member => db.Accounts.Any(account => account.Id == member.AccountId
                && EF.Functions.Like(EF.Property<string>(account, Queries.SearchText), Queries.Fold(Queries.Anywhere(request.Search)), Queries.Escape)));
        }

        return await members.AsViews(db).ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}
