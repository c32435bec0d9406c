namespace Vtp.Infrastructure.RateLimiting;

/// <summary>
/// When the budgets of one policy are whole again, by partition. Two generations: what nobody has touched for as long as any
/// budget takes to be whole goes with the older one, so that nothing is ever searched for what may be forgotten.
/// </summary>
internal sealed class BudgetTable(Budget budget)
{
    // Of a flood from more networks than that, the oldest are forgotten before their time: memory is the scarcer good.
    private const int MostPartitions = 500_000;

    private Dictionary<string, long> _younger = new(StringComparer.Ordinal);
    private Dictionary<string, long> _older = new(StringComparer.Ordinal);
    private long _nextGenerationAt = long.MinValue;

    public Budget Budget { get; } = budget;

    /// <param name="partition">Whose.</param>
    /// <returns>Some time in the past for one that is whole.</returns>
    public long WholeAgainAt(string partition) =>
        _younger.TryGetValue(partition, out var at) || _older.TryGetValue(partition, out at) ? at : long.MinValue;

    /// <param name="partition">Whose.</param>
    /// <param name="wholeAgainAt">From now on.</param>
    /// <param name="now">By the same clock.</param>
    /// <param name="horizon">How far ahead of now that can be at most.</param>
    public void Keep(string partition, long wholeAgainAt, long now, long horizon)
    {
        if (now >= _nextGenerationAt || _younger.Count >= MostPartitions)
        {
            (_older, _younger) = (_younger, _older);
            _younger.Clear();
            _nextGenerationAt = now + horizon;
        }

        _younger[partition] = wholeAgainAt;
    }
}
