using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Administration;

/// <summary>All accounts, newest first.</summary>
/// <param name="Search">Part of a name or address, without case and accents.</param>
/// <param name="Limit">1 to 100; 20 when absent.</param>
[Requires(Permission.ManageAccounts)]
public sealed record ListUsersQuery(string? Search, Role? Role, bool? Disabled, int? Page, int? Limit) : IQuery<Page<ManagedUser>>;

/// <summary>An account, as administrators see it in lists.</summary>
public sealed record ManagedUser(
    Guid UserId, string Email, string FullName, Role Role, bool EmailVerified, bool TwoFactorEnabled, bool Disabled, DateTimeOffset CreatedAt);

internal sealed class ListUsersHandler(IVtpDb db) : IRequestHandler<ListUsersQuery, Result<Page<ManagedUser>>>
{
    public async Task<Result<Page<ManagedUser>>> Handle(ListUsersQuery request, CancellationToken cancellationToken)
    {
        var accounts = db.Accounts.AsNoTracking();
        if (!string.IsNullOrWhiteSpace(request.Search))
        {
            accounts = accounts.Where(account =>
                EF.Functions.Like(EF.Property<string>(account, Queries.SearchText), Queries.Fold(Queries.Anywhere(request.Search)), Queries.Escape));
        }

        if (request.Role is { } role)
        {
            accounts = accounts.Where(account => account.Role == role);
        }

        if (request.Disabled is { } disabled)
        {
            accounts = accounts.Where(account => account.DisabledAt != null == disabled);
        }

        return await accounts.OrderByDescending(account => account.Id).AsManaged(db).ToPageAsync(request.Page, request.Limit, cancellationToken);
    }
}

internal static class ManagedUsers
{
    public static IQueryable<ManagedUser> AsManaged(this IQueryable<Account> accounts, IVtpDb db) => accounts.Select(account => new ManagedUser(
        account.Id.Value,
        account.Email.Value,
        account.FullName,
        account.Role,
        account.EmailVerifiedAt != null,
        db.SecondFactors.Any(factor => factor.AccountId == account.Id && factor.EnabledAt != null),
        account.DisabledAt != null,
        account.CreatedAt));

    public static Task<ManagedUser> ManagedAsync(this IVtpDb db, AccountId id, CancellationToken cancellationToken) =>
        db.Accounts.AsNoTracking().Where(account => account.Id == id).AsManaged(db).SingleAsync(cancellationToken);

    /// <summary>Locks the administrators, so that of two who remove each other one is told no.</summary>
    public static async Task<bool> IsLastAdministratorAsync(this IVtpDb db, AccountId id, CancellationToken cancellationToken)
    {
        var administrators = await db.Accounts.ForUpdate()
            .Where(account => account.Role == Role.Admin && account.DisabledAt == null)
            .OrderBy(account => account.Id)
            .ToListAsync(cancellationToken);
        return administrators is [var only] && only.Id == id;
    }
}
