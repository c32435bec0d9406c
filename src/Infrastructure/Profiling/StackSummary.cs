namespace Vtp.Infrastructure.Profiling;

/// <param name="Unit">Of all weights: milliseconds or bytes.</param>
/// <param name="Lost">Events that did not fit into the buffer; the numbers are too small by what they held.</param>
/// <param name="Methods">Heaviest in themselves first.</param>
/// <param name="Stacks">Heaviest first.</param>
internal sealed record StackSummary(
    string Profile, string Unit, double Seconds, int Samples, double Total, int Lost, IReadOnlyList<MethodWeight> Methods, IReadOnlyList<StackWeight> Stacks)
{
    private const int ListedMethods = 50;
    private const int ListedStacks = 20;

    public static StackSummary Of(Stacks stacks)
    {
        var (self, total) = (new Dictionary<string, double>(StringComparer.Ordinal), new Dictionary<string, double>(StringComparer.Ordinal));
        foreach (var sample in stacks.Samples)
        {
            self[sample.Frames[^1]] = self.GetValueOrDefault(sample.Frames[^1]) + sample.Weight;
            foreach (var frame in sample.Frames.Distinct(StringComparer.Ordinal))
            {
                total[frame] = total.GetValueOrDefault(frame) + sample.Weight;
            }
        }

        return new StackSummary(
            stacks.Name,
            stacks.Unit,
            stacks.Seconds,
            stacks.Samples.Count,
            Math.Round(stacks.Samples.Sum(sample => sample.Weight), 1),
            stacks.Lost,
            [
                .. total.OrderByDescending(method => self.GetValueOrDefault(method.Key)).ThenByDescending(method => method.Value).Take(ListedMethods)
                    .Select(method => new MethodWeight(method.Key, Math.Round(self.GetValueOrDefault(method.Key), 1), Math.Round(method.Value, 1))),
            ],
            [
                .. stacks.Samples.GroupBy(sample => string.Join('\n', sample.Frames), StringComparer.Ordinal)
                    .Select(group => new StackWeight(Math.Round(group.Sum(sample => sample.Weight), 1), group.Count(), [.. group.First().Frames.Reverse()]))
                    .OrderByDescending(stack => stack.Weight).Take(ListedStacks),
            ]);
    }
}

/// <param name="Self">In the method itself.</param>
/// <param name="Total">With what it called.</param>
internal sealed record MethodWeight(string Method, double Self, double Total);

/// <param name="Stack">Innermost first.</param>
internal sealed record StackWeight(double Weight, int Samples, IReadOnlyList<string> Stack);
