using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;
using Vtp.Api.Console.Operators;
using Vtp.Api.Http;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Relay;
using Vtp.Infrastructure.Tenancy;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Realtime;

/// <summary>What every WebSocket passes before it is one: that it is asked for, by whom a browser shows, and how many there are.</summary>
internal sealed class SocketDoor(IOptions<RelayOptions> options)
{
    private static readonly Refusal NoSocket =
        new(RefusalKind.Invalid, "socket.upgrade_required", "This address speaks WebSocket (RFC 6455), and nothing else.");

    private static readonly Refusal OtherOrigin =
        new(RefusalKind.Forbidden, "socket.origin_refused", "Pages of this site may not connect; Cors:Origins names those that may.");

    private static readonly Refusal Full =
        new(RefusalKind.Busy, "socket.full", "The server has as many connections as it may. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(5) };

    private static readonly Refusal TooMany =
        new(RefusalKind.TooMany, "socket.too_many", "Your address has as many connections as it may.") { RetryAfter = TimeSpan.FromSeconds(5) };

    private readonly ConcurrentDictionary<IPAddress, int> _addresses = new();
    private int _count;

    /// <summary>A page elsewhere must not use what its visitor's browser, or their address, may do here.</summary>
    public static Refusal? Check(HttpContext context) =>
        !context.WebSockets.IsWebSocketRequest ? NoSocket
        : !Cors.AllowsOrigin(context) ? OtherOrigin
        : null;

    /// <returns>To be disposed of when the connection ends.</returns>
    public Result<Place> Enter(IPAddress? address)
    {
        if (Interlocked.Increment(ref _count) > options.Value.Connections)
        {
            Interlocked.Decrement(ref _count);
            return Full;
        }

        var key = address ?? IPAddress.None;
        if (_addresses.AddOrUpdate(key, 1, static (_, count) => count + 1) > options.Value.ConnectionsPerAddress)
        {
            Leave(key);
            return TooMany;
        }

        return new Place(this, key);
    }

    private void Leave(IPAddress address)
    {
        Interlocked.Decrement(ref _count);
        if (_addresses.AddOrUpdate(address, 0, static (_, count) => count - 1) <= 0)
        {
            _addresses.TryRemove(KeyValuePair.Create(address, 0));
        }
    }

    /// <summary>One connection's.</summary>
    internal sealed class Place(SocketDoor door, IPAddress address) : IDisposable
    {
        public void Dispose() => door.Leave(address);
    }
}

/// <summary>
/// Who asks for a WebSocket, whose clients can often set no header: a key may stand in the query here, and the console's
/// cookie counts. Asked again while the connection lasts, because what is revoked must end it.
/// </summary>
internal sealed class SocketCaller(HttpCaller caller, OperatorSession session, IAccessTokenReader tokens, IApiKeyReader keys)
{
    private string? _access;
    private string? _key;

    public bool IsKeyless { get; private set; }

    public async Task IdentifyAsync(HttpContext context, bool byCookie)
    {
        _key = context.Request.Query["api_key"] is [{ Length: > 0 } key] ? key : null;
        if (_key is not null)
        {
            await caller.IdentifyByKeyAsync(_key, keys);
        }
        else if (byCookie && IsNobody)
        {
            _access = await session.ResumeAsync(context);
        }

        IsKeyless = IsNobody;
    }

    public async ValueTask IdentifyAgainAsync(HttpContext context)
    {
        if (IsKeyless)
        {
            return;
        }

        if (_access is not null)
        {
            await caller.IdentifyAsync(_access, tokens);
            return;
        }

        await caller.IdentifyAsync(context, tokens, keys);
        if (_key is not null)
        {
            await caller.IdentifyByKeyAsync(_key, keys);
        }
    }

    private bool IsNobody => caller is { SignedIn: null, Key: null, Tracker: null, Rejected: null };
}
