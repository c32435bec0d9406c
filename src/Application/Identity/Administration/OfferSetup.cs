using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;

namespace Vtp.Application.Identity.Administration;

/// <summary>At start: a link that creates the first administrator, while there is none. Has no route.</summary>
[Requires(Permission.Anyone)]
public sealed record OfferSetupCommand : ICommand<SetupOffer>;

/// <param name="Link">Null when there is an administrator.</param>
public sealed record SetupOffer(string? Link);

internal sealed class OfferSetupHandler(IVtpDb db, ILinks links, TimeProvider clock) : IRequestHandler<OfferSetupCommand, Result<SetupOffer>>
{
    public async Task<Result<SetupOffer>> Handle(OfferSetupCommand request, CancellationToken cancellationToken)
    {
        if (await db.Accounts.AnyAsync(account => account.Role == Role.Admin, cancellationToken))
        {
            return new SetupOffer(null);
        }

        var (token, now) = (OneTimeSecret.New(), clock.GetUtcNow());
        db.SetupLinks.RemoveRange(await db.SetupLinks.Where(link => link.ExpiresAt <= now).ToListAsync(cancellationToken));
        db.SetupLinks.Add(SetupLink.For(token, now));
        await db.SaveChangesAsync(cancellationToken);
        return new SetupOffer(links.Setup(token));
    }
}
