using FluentValidation;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Identity.Accounts;

/// <summary>Changes what people may change of their own account. Fields that are absent stay; an empty phone is removed.</summary>
/// <param name="Locale">BCP 47, for example <c>ar-SY</c>.</param>
[Requires(Permission.SignedIn)]
[Audited(AuditActions.AccountProfileUpdated)]
public sealed record UpdateProfileCommand([property: Alias("name")] string? FullName, string? Phone, string? Locale) : ICommand<UserView>;

internal sealed class UpdateProfileValidator : AbstractValidator<UpdateProfileCommand>
{
    public UpdateProfileValidator()
    {
        RuleFor(command => command.FullName).IsFullName();
        RuleFor(command => command.Phone).IsPhone();
        RuleFor(command => command.Locale).IsLocale();
    }
}

internal sealed class UpdateProfileHandler(IVtpDb db, ICaller caller, TimeProvider clock)
    : IRequestHandler<UpdateProfileCommand, Result<UserView>>
{
    public async Task<Result<UserView>> Handle(UpdateProfileCommand request, CancellationToken cancellationToken)
    {
        var accountId = caller.Required().AccountId;
        var account = await db.Accounts.SingleAsync(account => account.Id == accountId, cancellationToken);
        account.ChangeProfile(request.FullName, request.Phone, request.Locale, clock.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return await db.Accounts.AsNoTracking().Where(account => account.Id == accountId).AsViews(db).SingleAsync(cancellationToken);
    }
}
