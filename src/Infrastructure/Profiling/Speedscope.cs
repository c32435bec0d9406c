using System.Text.Json.Serialization;

namespace Vtp.Infrastructure.Profiling;

/// <summary>The file format of https://www.speedscope.app: frames once, and of each thread its samples in the order of time.</summary>
internal sealed record SpeedscopeFile(
    [property: JsonPropertyName("$schema")] string Schema, string Name, string Exporter, SpeedscopeShared Shared, IReadOnlyList<SpeedscopeProfile> Profiles);

internal sealed record SpeedscopeShared(IReadOnlyList<SpeedscopeFrame> Frames);

internal sealed record SpeedscopeFrame(string Name);

/// <param name="Samples">Indexes of frames, outermost first.</param>
internal sealed record SpeedscopeProfile(
    string Type, string Name, string Unit, double StartValue, double EndValue, IReadOnlyList<int[]> Samples, IReadOnlyList<double> Weights);

internal static class Speedscope
{
    public static SpeedscopeFile Of(Stacks stacks)
    {
        var frames = new Dictionary<string, int>(StringComparer.Ordinal);
        var profiles = stacks.Samples.GroupBy(sample => sample.Under, StringComparer.Ordinal).Select(ProfileOf).OrderByDescending(profile => profile.EndValue).ToList();
        if (profiles.Count == 0)
        {
            profiles.Add(new SpeedscopeProfile("sampled", stacks.Name, stacks.Unit, 0, 0, [], [])); // A file without one is not read.
        }

        return new SpeedscopeFile(
            "https://www.speedscope.app/file-format-schema.json", $"VTP: {stacks.Name}", "VTP", new SpeedscopeShared([.. frames.OrderBy(frame => frame.Value).Select(frame => new SpeedscopeFrame(frame.Key))]), profiles);

        SpeedscopeProfile ProfileOf(IGrouping<string, Sample> group)
        {
            var (samples, weights) = (new List<int[]>(), new List<double>());
            foreach (var sample in group)
            {
                int[] indexes = [.. sample.Frames.Select(IndexOf)];
                if (samples.Count > 0 && samples[^1].AsSpan().SequenceEqual(indexes))
                {
                    weights[^1] += sample.Weight;
                }
                else
                {
                    samples.Add(indexes);
                    weights.Add(sample.Weight);
                }
            }

            return new SpeedscopeProfile("sampled", group.Key, stacks.Unit, 0, weights.Sum(), samples, weights);
        }

        int IndexOf(string frame)
        {
            if (!frames.TryGetValue(frame, out var index))
            {
                frames.Add(frame, index = frames.Count);
            }

            return index;
        }
    }
}
