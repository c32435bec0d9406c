using System.Net;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime;

/// <summary>Whose connection it is.</summary>
/// <param name="Proof">What the credential is known by while the connection lives; never the credential itself.</param>
/// <param name="GoodUntil">When it has to be shown anew.</param>
public sealed record Connected(SignedInAs? Person, ProjectKey? Key, ReadOnlyMemory<byte> Proof, DateTimeOffset GoodUntil)
{
    /// <summary>Connections are counted by it, and only it comes back to a session of its own.</summary>
    public string Owner => Key is { } key ? $"key:{key.KeyId}" : $"account:{Person!.AccountId}";
}

/// <summary>Believes what a client shows when it connects, and goes on looking whether that is still good.</summary>
public interface IConnectionCredentials
{
    /// <returns>Null for anything but an access token that is good now.</returns>
    ValueTask<Connected?> FromTokenAsync(string token, CancellationToken cancellationToken);

    ValueTask<Result<Connected>> FromKeyAsync(string key, IPAddress? address, CancellationToken cancellationToken);

    /// <summary>A ticket is good once, on whichever node.</summary>
    ValueTask<Result<Connected>> FromTicketAsync(string ticket, IPAddress? address, CancellationToken cancellationToken);

    /// <summary>Whether the session has not ended, nor the key been revoked, nor the time run out.</summary>
    ValueTask<bool> IsGoodAsync(Connected connected, CancellationToken cancellationToken);
}

/// <summary>Tickets that were given out and not used yet.</summary>
public interface IRealtimeTickets
{
    /// <param name="hash">SHA-256 of the ticket.</param>
    /// <param name="caller">Whom it stands for.</param>
    /// <param name="expiresAt">When it is worth nothing any more.</param>
    /// <param name="cancellationToken">Of the request.</param>
    Task KeepAsync(byte[] hash, ICaller caller, DateTimeOffset expiresAt, CancellationToken cancellationToken);
}

/// <summary>What connections followed, so that they can go on on another node for as long as messages are kept.</summary>
public interface IConnectionSessions
{
    Task SaveAsync(ConnectionSession session, CancellationToken cancellationToken);

    /// <returns>Null when there is none, or when it is too old.</returns>
    Task<ConnectionSession?> FindAsync(byte[] secretHash, CancellationToken cancellationToken);

    /// <summary>Their connections live, or did until just now.</summary>
    Task TouchAsync(IReadOnlyCollection<byte[]> secretHashes, CancellationToken cancellationToken);

    /// <summary>Its client has gone for good.</summary>
    Task ForgetAsync(byte[] secretHash, CancellationToken cancellationToken);
}

/// <param name="SecretHash">SHA-256 of what its client holds.</param>
/// <param name="Owner">Of <see cref="Connected.Owner"/>.</param>
/// <param name="Sid">By which others know the connection.</param>
public sealed record ConnectionSession(byte[] SecretHash, string Owner, string Namespace, string Sid, IReadOnlyList<JoinedTopic> Topics);
