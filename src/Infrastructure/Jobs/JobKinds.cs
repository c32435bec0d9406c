using System.Security.Cryptography;
using System.Text.Json;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Jobs;

/// <summary>The kinds that this version knows, and their commands as JSON.</summary>
internal sealed class JobKinds(IEnumerable<JobKind> kinds)
{
    // A field that is missing is a payload that cannot be read, not a default that nobody meant.
    private static readonly JsonSerializerOptions Json = new() { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    private readonly Dictionary<string, JobKind> _byName = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);

    public IReadOnlyCollection<JobKind> All => _byName.Values;

    public JobKind Of(ICommand<Done> command) =>
        JobKind.Of(command.GetType()) is { } kind && _byName.TryGetValue(kind.Name, out var known) && known.Command == kind.Command
            ? known
            : throw new InvalidOperationException($"{command.GetType().Name} is no job.");

    public bool Knows(string name) => _byName.ContainsKey(name);

    public JobKind Named(string name) => _byName[name];

    public static string Write(ICommand<Done> command) => JsonSerializer.Serialize(command, command.GetType(), Json);

    /// <exception cref="JsonException">It is not one of these.</exception>
    public static ICommand<Done> Read(JobKind kind, string payload) =>
        (ICommand<Done>?)JsonSerializer.Deserialize(payload, kind.Command, Json) ?? throw new JsonException("It is null.");

    /// <summary>How long after its n-th run, from 1, a job waits: twice as long each time, spread so that not all come back at once.</summary>
    public static TimeSpan Wait(JobAttribute policy, int attempt)
    {
        var seconds = Math.Min(policy.LongestRetrySeconds, policy.FirstRetrySeconds * Math.Pow(2, Math.Max(attempt, 1) - 1));
        return TimeSpan.FromSeconds(seconds * (1 + (RandomNumberGenerator.GetInt32(1000) / 4000.0)));
    }
}
