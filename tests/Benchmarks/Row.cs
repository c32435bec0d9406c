namespace Vtp.Benchmarks;

/// <summary>One load and the bytes that the server allocated for each of its requests: null where it did not run alone, or they could not be read.</summary>
internal sealed record Round(Load Load, double? BytesPerRequest);

/// <summary>A row of the table, with the floor that it stands on, if it has one.</summary>
internal sealed class Row(string name, string? floorName = null)
{
    // No answer over HTTP is made of less. One run in many read a counter that stood still, for a reason that was not found.
    private const double LeastBytes = 64;

    public string Name => name;

    public string? FloorName => floorName;

    public List<Round> Vtp { get; } = [];

    public List<Round> Floor { get; } = [];

    /// <summary>Share of the floor's throughput; each round is compared with its own neighbour, so that drift cancels out.</summary>
    public double? Ratio => Floor.Count == 0 ? null : Median(Vtp.Zip(Floor, (vtp, floor) => vtp.Load.PerSecond / floor.Load.PerSecond));

    public async Task AddAsync(
        ServerProcess vtp, Func<Task<Load>> load, ServerProcess floor, Func<Task<Load>> floorLoad, CancellationToken ct)
    {
        await AddAsync(vtp, load, ct);
        Floor.Add(await MeasureAsync(floor, floorLoad, ct));
    }

    /// <param name="alone">The server, when this load is all that it serves meanwhile.</param>
    public async Task AddAsync(ServerProcess? alone, Func<Task<Load>> load, CancellationToken ct) =>
        Vtp.Add(await MeasureAsync(alone, load, ct));

    public static double Median(IEnumerable<double> numbers)
    {
        var ordered = numbers.Order().ToArray();
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }

    private static async Task<Round> MeasureAsync(ServerProcess? alone, Func<Task<Load>> load, CancellationToken ct)
    {
        if (alone is null)
        {
            return new Round(await load(), null);
        }

        var before = await alone.AllocatedAsync(ct);
        var seen = await load();
        var after = await alone.AllocatedAsync(ct);
        var bytes = (double)(after - before) / seen.Requests;
        return new Round(seen, bytes >= LeastBytes ? bytes : null);
    }
}
