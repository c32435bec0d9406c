using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Identity;
using Vtp.Domain.Common;

namespace Vtp.Application.Common;

public enum IdempotencyState
{
    /// <summary>First of its key: run it, then complete it.</summary>
    Begun,

    /// <summary>The same request has been answered.</summary>
    Answered,

    /// <summary>The same key came with another request.</summary>
    Mismatch,

    /// <summary>The first one is still running.</summary>
    InFlight,
}

/// <summary>Which request another one repeats.</summary>
/// <param name="Hash">Names the use case, whose key it is, and the key.</param>
/// <param name="Fingerprint">Tells whether the same was asked. A guess at what was sent can be checked against it.</param>
public sealed record IdempotencyKey(byte[] Hash, byte[] Fingerprint)
{
    /// <summary>Encrypts the answer where it signs somebody in; made of their password, and never kept. Null for others.</summary>
    public byte[]? AnswerKey { get; private init; }

    internal static async Task<IdempotencyKey> OfAsync<TRequest>(TRequest request, string header, ICaller caller, CancellationToken cancellationToken)
        where TRequest : notnull =>
        new(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{typeof(TRequest).Name} {Owner(caller)} {header}")),
            await RequestFingerprint.OfAsync(request, cancellationToken));

    /// <summary>
    /// For requests with a password. Whoever copies the database has the keys of what is sealed in it: a plain hash would let
    /// them try passwords against it, and the answer may hold tokens.
    /// </summary>
    internal async Task<Result<IdempotencyKey>> StretchedAsync(IPasswordHasher passwords, CancellationToken cancellationToken) =>
        (await passwords.StretchAsync(Fingerprint, salt: Hash, cancellationToken)).Match<Result<IdempotencyKey>>(
            stretched => this with { Fingerprint = stretched[..32], AnswerKey = stretched[32..] },
            busy => busy);

    /// <summary>A key is its caller's own: nobody is told another's answer.</summary>
    private static string? Owner(ICaller caller) =>
        caller.Key?.ProjectId.ToString() ?? caller.SignedIn?.AccountId.ToString() ?? caller.IpAddress;
}

/// <summary>Remembers answers for 24 hours, each committed with the change that it tells of, or not at all.</summary>
public interface IIdempotencyStore
{
    /// <summary>
    /// When it says <see cref="IdempotencyState.Begun"/>, no save commits until <see cref="CompleteAsync"/>, and repeats
    /// on any node are in flight.
    /// </summary>
    Task<(IdempotencyState State, object? Answer)> BeginAsync(IdempotencyKey key, Type answerType, CancellationToken cancellationToken);

    /// <summary>Commits the change and its answer. False: a repeat was answered first, and nothing may be committed.</summary>
    Task<bool> CompleteAsync(IdempotencyKey key, object answer, Type answerType, CancellationToken cancellationToken);

    /// <summary>Gives up whatever has not been completed. To be called in any case.</summary>
    Task EndAsync();
}
