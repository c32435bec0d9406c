using System.Text.Json;

namespace Vtp.Domain.Audit;

/// <summary>
/// Verifies one organization's chain. It is told first what was signed, then each entry, oldest first, and reports what is
/// wrong as soon as that is certain. It keeps no entries: its memory does not grow with their number. One thread at a time.
/// </summary>
/// <param name="organizationId">Whose chain it should be; null for the entries that belong to no organization.</param>
/// <param name="isFiltered">The entries are a selection: what is absent cannot be judged.</param>
/// <param name="keys">Who may sign; stays the caller's.</param>
/// <param name="report">Is called for each finding.</param>
public sealed class AuditVerifier(Guid? organizationId, bool isFiltered, AuditKeys keys, Action<AuditFinding> report)
{
    // What is displaced, or missing and might yet come late, is remembered up to here; beyond, it is reported at once.
    private const int MaximumOpen = 1000;

    private readonly List<AuditRange> _gaps = [];
    private readonly HashSet<long> _early = [];

    private AuditStatements? _statements;
    private bool _hasBegun;
    private Link _last = Link.Beginning;
    private Link? _ahead;
    private string? _rivalHash;
    private bool _isRewritten;
    private long _lastAgreed;
    private long _entries;
    private long? _first;
    private long _dropped;
    private long _pending;
    private long _unbound;
    private long _findings;

    private AuditStatements Statements => _statements ??= new AuditStatements(organizationId, keys, Report);

    /// <param name="jws">A checkpoint as the server signed it.</param>
    /// <param name="name">What a finding calls it.</param>
    public void AddCheckpoint(string jws, string name = "A checkpoint")
    {
        ThrowIfBegun();
        Statements.AddCheckpoint(jws, name);
    }

    /// <param name="jws">A statement of retention as the server signed it.</param>
    /// <param name="name">What a finding calls it.</param>
    public void AddRetention(string jws, string name = "A retention")
    {
        ThrowIfBegun();
        Statements.AddRetention(jws, name);
    }

    /// <summary>The next entry, with its <c>hash</c>; a <c>type</c> may be there or not.</summary>
    public void Add(JsonElement entry)
    {
        _hasBegun = true;
        _entries++;
        if (Read(entry) is not { } link || !HasPlace(link))
        {
            return;
        }

        if (isFiltered)
        {
            Place(link);
            return;
        }

        // An entry that is ahead of its place is told from a gap by the one after it.
        if (_ahead is { } ahead)
        {
            _ahead = null;
            if (link.Sequence < ahead.Sequence && _early.Count < MaximumOpen)
            {
                _early.Add(ahead.Sequence);
                Compare(ahead);
                Report(AuditFindingKind.Reordered, ahead, $"Entry {ahead} stands before entry {link.Sequence}: the order was changed.");
            }
            else
            {
                Place(ahead);
                if (link.Sequence < ahead.Sequence)
                {
                    HasPlace(link);
                    return;
                }
            }
        }

        if (link.Sequence > _last.Sequence + 1)
        {
            _ahead = link;
        }
        else
        {
            Place(link);
        }
    }

    /// <summary>After the last entry: what is missing is known now.</summary>
    public AuditSummary Complete()
    {
        _hasBegun = true;
        if (_ahead is { } ahead)
        {
            _ahead = null;
            Place(ahead);
        }

        _gaps.ForEach(ReportDeleted);
        _gaps.Clear();
        var newest = Statements.Newest;
        if (!isFiltered && newest is { } checkpoint && checkpoint.Sequence > _last.Sequence)
        {
            var tail = new AuditRange(_last.Sequence + 1, checkpoint.Sequence);
            foreach (var range in Statements.Missing(tail).Where(range => range.First != range.Last || !_early.Contains(range.First)))
            {
                Report(new AuditFinding(AuditFindingKind.CutOff, $"{Sentence(range)} cut off: the checkpoint signed at {checkpoint.At:u} names entry {checkpoint.Sequence}.")
                {
                    Sequence = range.First,
                    LastSequence = range.Last,
                });
            }

            _dropped += Length(tail) - Statements.Missing(tail).Sum(Length);
        }

        return new AuditSummary(
            _entries, _first, _last.Sequence == 0 ? null : _last.Sequence, _dropped, Statements.Checkpoints, newest?.Sequence, newest?.At, _pending, _unbound, _findings);
    }

    private static string Sentence(AuditRange range) =>
        range.First == range.Last ? $"Entry {range.First} was" : $"Entries {range.First} to {range.Last} were";

    private static long Length(AuditRange range) => range.Last - range.First + 1;

    /// <summary>What can be said of one entry by itself; null when it has no sequence.</summary>
    private Link? Read(JsonElement entry)
    {
        var id = entry.TryUuid("id", out var uuid) ? uuid : null;
        if (entry.Sequence("sequence") is not { } sequence)
        {
            Report(new AuditFinding(AuditFindingKind.Inserted, $"An entry{(id is null ? "" : $" (id {id})")} after entry {_last.Sequence} has no sequence: it has no place in the chain.") { Id = id });
            return null;
        }

        var link = new Link(sequence, id, entry.Text("previous_hash"), entry.Text("hash"), Computed(entry));
        if (link.Computed is null)
        {
            Report(AuditFindingKind.Edited, link, $"Entry {link} was edited: it has no canonical form, so it never had a hash.");
        }
        else if (link.Computed != link.Stored)
        {
            Report(AuditFindingKind.Edited, link, $"Entry {link} was edited: its content does not give its hash.");
        }

        if (!entry.TryUuid("organization_id", out var organization) || organization != organizationId)
        {
            Report(AuditFindingKind.OtherOrganization, link, $"Entry {link} does not belong to this chain's organization.");
        }

        return link;
    }

    private static string? Computed(JsonElement entry)
    {
        try
        {
            return AuditChain.HashOf(entry);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether the entry goes on from those before it; if not, it is reported and takes no further part.</summary>
    private bool HasPlace(Link link)
    {
        if (Statements.IsDropped(link.Sequence))
        {
            Report(AuditFindingKind.Inserted, link, $"Entry {link} was inserted: a signed retention says that its sequence was dropped.");
            return false;
        }

        var isTaken = link.Sequence == _last.Sequence || link.Sequence == _ahead?.Sequence;
        if (!isTaken && link.Sequence > _last.Sequence)
        {
            return true;
        }

        if (!isTaken && (isFiltered || TakeFromGaps(link.Sequence)))
        {
            Compare(link);
            Report(AuditFindingKind.Reordered, link, $"Entry {link} stands after entry {_last.Sequence}: the order was changed.");
            return false;
        }

        if (link.Sequence == _last.Sequence)
        {
            // Which of the two is the genuine one, the next entry knows.
            _rivalHash = link.Stored;
        }

        var other = link.Sequence == _last.Sequence ? _last : _ahead is { } ahead && link.Sequence == ahead.Sequence ? ahead : default;
        Report(AuditFindingKind.Inserted, link, other.Id is { } otherId && otherId != link.Id
            ? $"Entry {link} was inserted, or the one with id {otherId}: both have the same sequence."
            : $"Entry {link} was inserted: its sequence was there before.");
        return false;
    }

    /// <summary>Adds the entry to the chain's end, and says whether it fits there.</summary>
    private void Place(Link link)
    {
        _first ??= link.Sequence;
        if (link.Sequence == _last.Sequence + 1)
        {
            if (!Follows(link))
            {
                Break();
                ReportBrokenLink(link);
            }
        }
        else
        {
            Break();
            _isRewritten = false;
            if (!isFiltered)
            {
                Open(new AuditRange(_last.Sequence + 1, link.Sequence - 1));
            }

            // The entry before is absent, but what was signed of it is known.
            if (Statements.Judge(link.Sequence - 1, link.Previous) is { Agrees: false } verdict)
            {
                Report(AuditFindingKind.Rewritten, link, $"Entry {link} does not follow the entry {link.Sequence - 1} that was signed at {verdict.At:u}.");
            }
        }

        (_last, _rivalHash) = (link, null);
        _pending++;
        Compare(link);
    }

    private bool Follows(Link link) =>
        link.Previous is { } previous && (previous == _last.Stored || previous == _last.Computed || previous == _rivalHash);

    private void ReportBrokenLink(Link link)
    {
        if (_last.Sequence == 0)
        {
            Report(AuditFindingKind.Edited, link, $"Entry {link} was edited: the first entry of a chain follows 64 zeros.");
            return;
        }

        Report(new AuditFinding(
            AuditFindingKind.Edited,
            $"Entry {_last} or the next one was edited and given a new hash: entry {link.Sequence} does not name the hash of entry {_last.Sequence}.")
        {
            Sequence = _last.Sequence,
            LastSequence = link.Sequence,
            Id = _last.Id,
        });
    }

    /// <summary>The entry against what was signed of it.</summary>
    private void Compare(Link link)
    {
        if (Statements.Judge(link.Sequence, link.Stored, link.Computed) is not { } verdict)
        {
            return;
        }

        if (verdict.Agrees)
        {
            (_lastAgreed, _pending, _isRewritten) = (Math.Max(_lastAgreed, link.Sequence), 0, false);
        }
        else if (!_isRewritten)
        {
            // After the first that differs all do; one sentence tells it.
            _isRewritten = true;
            var since = Math.Min(_lastAgreed + 1, link.Sequence);
            Report(new AuditFinding(
                AuditFindingKind.Rewritten,
                $"Entry {link} is not the one that was signed at {verdict.At:u}: the chain was rewritten, with new hashes, at or after entry {since}.")
            {
                Sequence = since,
                LastSequence = link.Sequence,
                Id = link.Id,
            });
        }
    }

    /// <summary>Checkpoints that come later say nothing any more about the entries so far.</summary>
    private void Break() => (_unbound, _pending) = (_unbound + _pending, 0);

    private void Open(AuditRange gap)
    {
        var missing = Statements.Missing(gap).ToList();
        _dropped += Length(gap) - missing.Sum(Length);
        foreach (var range in missing)
        {
            _gaps.Add(range);
            foreach (var early in _early.Where(early => early >= range.First && early <= range.Last).ToList())
            {
                _early.Remove(early);
                TakeFromGaps(early);
            }
        }

        while (_gaps.Count > MaximumOpen)
        {
            ReportDeleted(_gaps[0]);
            _gaps.RemoveAt(0);
        }
    }

    private bool TakeFromGaps(long sequence)
    {
        var index = _gaps.FindIndex(gap => gap.First <= sequence && sequence <= gap.Last);
        if (index < 0)
        {
            return false;
        }

        var gap = _gaps[index];
        _gaps.RemoveAt(index);
        if (gap.Last > sequence)
        {
            _gaps.Insert(index, gap with { First = sequence + 1 });
        }

        if (gap.First < sequence)
        {
            _gaps.Insert(index, gap with { Last = sequence - 1 });
        }

        return true;
    }

    private void ReportDeleted(AuditRange range) =>
        Report(new AuditFinding(AuditFindingKind.Deleted, $"{Sentence(range)} deleted: no signed retention says that they were dropped.")
        {
            Sequence = range.First,
            LastSequence = range.Last,
        });

    private void Report(AuditFindingKind kind, Link link, string sentence) =>
        Report(new AuditFinding(kind, sentence) { Sequence = link.Sequence, Id = link.Id });

    private void Report(AuditFinding finding)
    {
        _findings++;
        report(finding);
    }

    private void ThrowIfBegun()
    {
        if (_hasBegun)
        {
            throw new InvalidOperationException("What was signed must be known before the first entry.");
        }
    }

    /// <summary>What is kept of an entry until the next one.</summary>
    private readonly record struct Link(long Sequence, Guid? Id, string? Previous, string? Stored, string? Computed)
    {
        public static Link Beginning => new(0, null, null, AuditChain.Genesis, AuditChain.Genesis);

        public override string ToString() => Id is { } id ? $"{Sequence} (id {id})" : $"{Sequence}";
    }
}
