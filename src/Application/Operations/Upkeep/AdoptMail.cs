using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Sees to mail that a server of an older version left behind.</summary>
[Job("email.adopt", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record AdoptMailCommand : ICommand<Done>;

internal sealed class AdoptMailHandler(IUpkeep upkeep) : IRequestHandler<AdoptMailCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(AdoptMailCommand request, CancellationToken cancellationToken)
    {
        await upkeep.AdoptMailAsync(cancellationToken);
        return Done.Value;
    }
}
