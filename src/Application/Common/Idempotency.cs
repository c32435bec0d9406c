namespace Vtp.Application.Common;

public enum IdempotencyState
{
    /// <summary>First of its key: run it, then complete or abandon the key.</summary>
    Begun,

    /// <summary>The same request has been answered.</summary>
    Answered,

    /// <summary>The same key came with another request.</summary>
    Mismatch,

    /// <summary>The first one is still running.</summary>
    InFlight,
}

/// <summary>Remembers answers by caller and key for 24 hours.</summary>
public interface IIdempotencyStore
{
    ValueTask<(IdempotencyState State, object? Answer)> BeginAsync(string key, byte[] fingerprint, CancellationToken cancellationToken);

    ValueTask CompleteAsync(string key, object answer, CancellationToken cancellationToken);

    /// <summary>It was refused or failed: a retry may run.</summary>
    ValueTask AbandonAsync(string key, CancellationToken cancellationToken);
}
