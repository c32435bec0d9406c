using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>Whether live rooms work, and how many there are on this installation.</summary>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsRead)]
public sealed record GetSignalingHealthQuery : IQuery<SignalingHealth>;

/// <param name="Status"><c>ok</c>; what does not work is an error.</param>
/// <param name="Timestamp">Seconds since 1970.</param>
public sealed record SignalingHealth(string Status, string Service, string Version, int ActiveRooms, long Timestamp);

internal sealed class GetSignalingHealthHandler(ISignalingRooms rooms, TimeProvider clock) : IRequestHandler<GetSignalingHealthQuery, Result<SignalingHealth>>
{
    public async Task<Result<SignalingHealth>> Handle(GetSignalingHealthQuery request, CancellationToken cancellationToken) =>
        new SignalingHealth("ok", "signalling", "1.0.0", await rooms.CountAsync(cancellationToken), clock.GetUtcNow().ToUnixTimeSeconds());
}
