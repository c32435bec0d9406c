using System.Net;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.EngineIo;

/// <summary>What a connection carries.</summary>
internal interface IEngineClient
{
    /// <summary>The client has been told that it is connected, or will be before anything else.</summary>
    void Opened();

    /// <param name="message">Its own only until this returns.</param>
    /// <param name="isBinary">As it was sent.</param>
    /// <returns>False: it makes no sense, and the connection is to be closed.</returns>
    ValueTask<bool> ReceiveAsync(ReadOnlyMemory<byte> message, bool isBinary);

    /// <summary>Once.</summary>
    void Closed(string reason);

    /// <summary>Each time the clock of the server ticks.</summary>
    void Tick(long now);
}

/// <summary>What is known of a client before it says anything.</summary>
/// <param name="Identity">By its headers or its address; null when it has shown nothing.</param>
/// <param name="Rejected">Why what it has shown is not believed.</param>
/// <param name="NamesRoom">Its address says <c>roomId</c>, as those of clients of live rooms do.</param>
internal sealed record EngineHandshake(IPAddress? Address, string? UserAgent, Connected? Identity, Refusal? Rejected, bool NamesRoom);
