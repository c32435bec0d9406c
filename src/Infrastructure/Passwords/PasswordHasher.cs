using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Vtp.Application.Identity;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Passwords;

/// <summary>
/// PBKDF2-HMAC-SHA512 on one thread a core: a flood of sign-ins fills its own short queue and is told, after a moment, to come
/// back. These threads have the priority of all others: at a lower one they held up every request now and then (docs/benchmarks.md).
/// </summary>
internal sealed class PasswordHasher : IPasswordHasher, IDisposable
{
    private const int MostHeld = 1000;
    private static readonly TimeSpan TypicalHash = TimeSpan.FromMilliseconds(100);

    // Who is refused at once may come back at once, and what a few such clients are told so costs everybody else.
    private static readonly TimeSpan HeldFor = TimeSpan.FromMilliseconds(250);

    private readonly PasswordOptions _options;
    private readonly BlockingCollection<Action> _queue;
    private readonly Refusal _busy;
    private readonly TimeProvider _clock;
    private int _held;

    public PasswordHasher(IOptions<PasswordOptions> options, TimeProvider clock)
    {
        (_options, _clock) = (options.Value, clock);
        var cores = Environment.ProcessorCount;
        _queue = new BlockingCollection<Action>(cores * _options.QueuePerCore);
        _busy = new Refusal(RefusalKind.Busy, "password.busy", "Too many people are signing in just now. Try again in a moment.")
        {
            RetryAfter = TimeSpan.FromSeconds(Math.Ceiling((TypicalHash * _options.QueuePerCore).TotalSeconds)),
        };
        for (var core = 0; core < cores; core++)
        {
            new Thread(Work) { IsBackground = true, Name = "password-hash" }.Start();
        }
    }

    private bool HasRoom => _queue.Count < _queue.BoundedCapacity;

    public async ValueTask<Refusal?> EnterAsync(CancellationToken cancellationToken)
    {
        if (!HasRoom)
        {
            await HoldAsync(cancellationToken);
        }

        return HasRoom ? null : _busy;
    }

    public Task<Result<string>> HashAsync(string password, string? sharingSaltWith, CancellationToken cancellationToken) =>
        RunAsync(
            () => Pbkdf2Hash.Compute(password, _options.Iterations, Pbkdf2Hash.Parse(sharingSaltWith)?.Salt ?? Pbkdf2Hash.NewSalt()).ToString(),
            cancellationToken);

    public Task<Result<byte[]>> StretchAsync(byte[] secret, byte[] salt, CancellationToken cancellationToken) =>
        RunAsync(() => Rfc2898DeriveBytes.Pbkdf2(secret, salt, _options.Iterations, HashAlgorithmName.SHA512, SHA512.HashSizeInBytes), cancellationToken);

    public Task<Result<PasswordMatch>> FindAsync(string password, IReadOnlyList<string?> hashes, CancellationToken cancellationToken) =>
        RunAsync(() => Find(password, hashes), cancellationToken);

    public void Dispose() => _queue.CompleteAdding();

    private PasswordMatch Find(string password, IReadOnlyList<string?> hashes)
    {
        var known = hashes.Select(Pbkdf2Hash.Parse).ToList();

        // Claims of one address share salt and iterations, so this is one computation; with nothing to compare, still one.
        var recipes = known.OfType<Pbkdf2Hash>().Select(hash => (hash.Iterations, hash.Salt)).Distinct().ToList();
        if (recipes.Count == 0 && !hashes.Any(Bcrypt.IsBcrypt))
        {
            recipes.Add((_options.Iterations, Pbkdf2Hash.NewSalt()));
        }

        foreach (var (iterations, salt) in recipes)
        {
            var computed = Pbkdf2Hash.Compute(password, iterations, salt);
            var index = known.FindIndex(hash => hash is not null && hash.Salt == salt && hash.Iterations == iterations && hash.Matches(computed));
            if (index >= 0)
            {
                return new PasswordMatch(index, iterations < _options.Iterations ? Upgrade(password, salt) : null);
            }
        }

        for (var index = 0; index < hashes.Count; index++)
        {
            if (Bcrypt.IsBcrypt(hashes[index]) && Bcrypt.Verify(password, hashes[index]!))
            {
                return new PasswordMatch(index, Upgrade(password, Pbkdf2Hash.NewSalt()));
            }
        }

        return PasswordMatch.None;
    }

    private string Upgrade(string password, string salt) => Pbkdf2Hash.Compute(password, _options.Iterations, salt).ToString();

    private async Task<Result<T>> RunAsync<T>(Func<T> compute, CancellationToken cancellationToken)
        where T : notnull
    {
        var completion = new TaskCompletionSource<Result<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TryQueue())
        {
            await HoldAsync(cancellationToken);
            if (!TryQueue())
            {
                return _busy;
            }
        }

        return await completion.Task;

        bool TryQueue() => _queue.TryAdd(() => Complete(completion, compute, cancellationToken), 0, CancellationToken.None);
    }

    /// <summary>Not for more at once than memory bears easily: of a greater flood the rest is refused at once.</summary>
    private async ValueTask HoldAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _held) <= MostHeld)
            {
                await Task.Delay(HeldFor, _clock, cancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }

    private static void Complete<T>(TaskCompletionSource<Result<T>> completion, Func<T> compute, CancellationToken cancellationToken)
        where T : notnull
    {
        if (cancellationToken.IsCancellationRequested)
        {
            completion.SetCanceled(cancellationToken);
            return;
        }

        try
        {
            completion.SetResult(compute());
        }
#pragma warning disable CA1031 // Whatever went wrong belongs to the caller who waits, not to this thread.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            completion.SetException(exception);
        }
    }

    private void Work()
    {
        foreach (var job in _queue.GetConsumingEnumerable())
        {
            job();
        }
    }
}
