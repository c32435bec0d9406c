using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>
/// What was signed about one chain: checkpoints, 56 bytes of memory each, and the ranges that retention dropped, merged.
/// Both grow with the time that the chain has been kept, not with its entries.
/// </summary>
internal sealed class AuditStatements(Guid? organizationId, AuditKeys keys, Action<AuditFinding> report)
{
    private readonly List<Checkpoint> _checkpoints = [];
    private List<AuditRange> _dropped = [];
    private bool _isSorted = true;

    public int Checkpoints => _checkpoints.Count;

    /// <summary>The one with the highest sequence.</summary>
    public (long Sequence, DateTimeOffset At)? Newest => _checkpoints.Count == 0 ? null : (Sorted()[^1].Sequence, Sorted()[^1].At);

    public void AddCheckpoint(string jws, string name)
    {
        if (Open(jws, AuditSignature.CheckpointType, name) is not { } payload)
        {
            return;
        }

        if (payload.Sequence("sequence") is { } sequence && AuditChain.Parse(payload.Text("hash")) is { } hash && payload.Time("at") is { } at)
        {
            _checkpoints.Add(new Checkpoint(sequence, hash.High, hash.Low, at));
            _isSorted = false;
        }
        else
        {
            ReportForm(name);
        }
    }

    public void AddRetention(string jws, string name)
    {
        if (Open(jws, AuditSignature.RetentionType, name) is not { } payload)
        {
            return;
        }

        if (payload.TryGetProperty("ranges", out var ranges) && ranges.ValueKind == JsonValueKind.Array
            && ranges.EnumerateArray().Select(Range).ToList() is var read && read.TrueForAll(range => range is not null))
        {
            _dropped.AddRange(read.OfType<AuditRange>());
            _isSorted = false;
        }
        else
        {
            ReportForm(name);
        }
    }

    public bool IsDropped(long sequence) => !Missing(new AuditRange(sequence, sequence)).Any();

    /// <summary>The parts of a gap that no retention accounts for.</summary>
    public IEnumerable<AuditRange> Missing(AuditRange gap)
    {
        Sorted();
        var from = gap.First;
        for (var index = FirstEndingAtOrAfter(gap.First); index < _dropped.Count && _dropped[index].First <= gap.Last; index++)
        {
            if (_dropped[index].First > from)
            {
                yield return new AuditRange(from, _dropped[index].First - 1);
            }

            from = _dropped[index].Last + 1;
        }

        if (from <= gap.Last)
        {
            yield return new AuditRange(from, gap.Last);
        }
    }

    /// <summary>
    /// Whether what was signed about this sequence is one of these hashes: null when nothing was. Two statements that
    /// contradict each other agree with nothing.
    /// </summary>
    public (bool Agrees, DateTimeOffset At)? Judge(long sequence, params ReadOnlySpan<string?> hashes)
    {
        var sorted = Sorted();
        var (low, high) = (0, sorted.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle].Sequence < sequence ? (middle + 1, high) : (low, middle);
        }

        (bool Agrees, DateTimeOffset At)? verdict = null;
        for (; low < sorted.Count && sorted[low].Sequence == sequence; low++)
        {
            var agrees = false;
            foreach (var hash in hashes)
            {
                agrees |= AuditChain.Parse(hash) == (sorted[low].High, sorted[low].Low);
            }

            if (verdict is not { Agrees: false })
            {
                verdict = (agrees, sorted[low].At);
            }
        }

        return verdict;
    }

    private static AuditRange? Range(JsonElement pair) =>
        pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[0].Sequence() is { } first && pair[1].Sequence() is { } last
        && first <= last ? new AuditRange(first, last) : null;

    private JsonElement? Open(string jws, string type, string name)
    {
        var opened = keys.Open(jws, type);
        if (opened.Payload is not { } payload)
        {
            report(new AuditFinding(opened.Fault!.Value, $"{name} {opened.Why}, so it proves nothing."));
            return null;
        }

        if (!payload.TryUuid("organization_id", out var organization))
        {
            ReportForm(name);
            return null;
        }

        if (organization != organizationId)
        {
            report(new AuditFinding(AuditFindingKind.OtherOrganization, string.Create(
                CultureInfo.InvariantCulture, $"{name} was signed for {Name(organization)}, not for {Name(organizationId)}.")));
            return null;
        }

        return payload;

        static string Name(Guid? organization) => organization is { } id ? $"organization {id}" : "the chain without an organization";
    }

    private void ReportForm(string name) =>
        report(new AuditFinding(AuditFindingKind.BadSignature, $"{name} is signed but does not say what it must, so it proves nothing."));

    private int FirstEndingAtOrAfter(long sequence)
    {
        var (low, high) = (0, _dropped.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _dropped[middle].Last < sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private List<Checkpoint> Sorted()
    {
        if (_isSorted)
        {
            return _checkpoints;
        }

        _isSorted = true;
        _checkpoints.Sort(static (one, other) => one.Sequence.CompareTo(other.Sequence));
        _dropped.Sort(static (one, other) => one.First.CompareTo(other.First));
        var merged = new List<AuditRange>();
        foreach (var range in _dropped)
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = new AuditRange(merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            }
            else
            {
                merged.Add(range);
            }
        }

        _dropped = merged;
        return _checkpoints;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Checkpoint(long Sequence, UInt128 High, UInt128 Low, DateTimeOffset At);
}
