using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Accounts;

/// <summary>The caller's own account.</summary>
[Requires(Permission.SignedIn)]
public sealed record GetProfileQuery : IQuery<UserView>;

internal sealed class GetProfileHandler(IProfiles profiles, ICaller caller) : IRequestHandler<GetProfileQuery, Result<UserView>>
{
    public async Task<Result<UserView>> Handle(GetProfileQuery request, CancellationToken cancellationToken)
    {
        var profile = await profiles.FindAsync(caller.Required().AccountId, cancellationToken);
        return profile is null ? AccountRefusals.NotFound : profile;
    }
}
