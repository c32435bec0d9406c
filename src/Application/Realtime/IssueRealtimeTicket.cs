using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Identity;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Realtime;

/// <summary>
/// A ticket that stands for the caller's credential in an address, where browsers can put nothing else: it is good once, for
/// thirty seconds, on every node.
/// </summary>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.EventsRead)]
public sealed record IssueRealtimeTicketCommand : ICommand<RealtimeTicket>;

/// <param name="Ticket">For <c>?ticket=</c> of <c>/socket.io/</c>, or for <c>auth.ticket</c>. Shown this once.</param>
/// <param name="ExpiresIn">Seconds.</param>
public sealed record RealtimeTicket(string Ticket, int ExpiresIn);

internal sealed class IssueRealtimeTicketHandler(IRealtimeTickets tickets, ICaller caller, TimeProvider clock)
    : IRequestHandler<IssueRealtimeTicketCommand, Result<RealtimeTicket>>
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(30);

    public async Task<Result<RealtimeTicket>> Handle(IssueRealtimeTicketCommand request, CancellationToken cancellationToken)
    {
        var ticket = OneTimeSecret.New();
        await tickets.KeepAsync(OneTimeSecret.Hash(ticket), caller, clock.GetUtcNow() + GoodFor, cancellationToken);
        return new RealtimeTicket(ticket, (int)GoodFor.TotalSeconds);
    }
}
