using Vtp.Application.Operations.Performance;

namespace Vtp.Infrastructure.Performance;

/// <summary>The last thousand of something that is measured in milliseconds. Whoever shares one locks it.</summary>
internal sealed class Samples
{
    public const int Kept = 1000;

    private readonly (long At, float Milliseconds)[] _ring = new (long, float)[Kept];
    private long _count;

    public void Add(long at, double milliseconds) => _ring[_count++ % Kept] = (at, (float)milliseconds);

    /// <param name="since">Older ones are left out.</param>
    public float[] Since(long since)
    {
        var kept = _ring.AsSpan(0, (int)Math.Min(_count, Kept));
        var found = new List<float>(kept.Length);
        foreach (var (at, milliseconds) in kept)
        {
            if (at >= since)
            {
                found.Add(milliseconds);
            }
        }

        return [.. found];
    }

    public static ResponseTimes Describe(float[] samples)
    {
        if (samples.Length == 0)
        {
            return new ResponseTimes(null, null, null, null, 0);
        }

        Array.Sort(samples);
        return new ResponseTimes(
            Math.Round(samples.Average(sample => (double)sample), 3), Percentile(samples, 0.5), Percentile(samples, 0.95), Percentile(samples, 0.99), samples.Length);
    }

    /// <summary>Nearest rank: the smallest sample that so large a share of all does not exceed.</summary>
    internal static double Percentile(ReadOnlySpan<float> sorted, double share) =>
        Math.Round(sorted[(int)Math.Ceiling(sorted.Length * share) - 1], 3);
}
