using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Upkeep;

/// <summary>Fails exports whose job was given up, and removes those past their time.</summary>
[Job("archives.sweep", MaxAttempts = 5, FirstRetrySeconds = 30)]
[Requires(Permission.Anyone)]
public sealed record SweepExportsCommand : ICommand<Done>;

internal sealed class SweepExportsHandler(IUpkeep upkeep) : IRequestHandler<SweepExportsCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(SweepExportsCommand request, CancellationToken cancellationToken)
    {
        await upkeep.SweepExportsAsync(cancellationToken);
        return Done.Value;
    }
}
