using System.Security.Cryptography;
using System.Text;
using Vtp.Application.Common.Pipeline;

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
    internal static IdempotencyKey Of<TRequest>(TRequest request, string header, ICaller caller)
        where TRequest : notnull =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{typeof(TRequest).Name} {Owner(caller)} {header}")), RequestFingerprint.Of(request));

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
