using System.Diagnostics.Metrics;

namespace Vtp.Infrastructure.Performance;

/// <summary>
/// What one instrument has said, by its tags. Some speak twice for every statement, on every thread: there are few series, so
/// that looking through them is cheaper than hashing a pool's long name, and adding takes no lock.
/// </summary>
internal sealed class InstrumentSeries(Instrument instrument)
{
    private readonly Lock _lock = new();
    private One[] _series = [];

    public Instrument Instrument => instrument;

    public IReadOnlyList<One> Series => Volatile.Read(ref _series);

    public void Add(One series, double value)
    {
        if (instrument.IsObservable)
        {
            series.Set(value);
        }
        else
        {
            series.Add(value);
        }
    }

    public One? Find(string tag, string state)
    {
        foreach (var one in Volatile.Read(ref _series))
        {
            if (one.State == state && one.Tag == tag)
            {
                return one;
            }
        }

        return null;
    }

    public One Begin(string tag, string state)
    {
        lock (_lock)
        {
            if (Find(tag, state) is { } known)
            {
                return known;
            }

            var begun = new One(tag, state);
            Volatile.Write(ref _series, [.. _series, begun]);
            return begun;
        }
    }

    internal sealed class One(string tag, string state)
    {
        private double _value;

        public string Tag => tag;

        public string State => state;

        public double Value => Volatile.Read(ref _value);

        public void Set(double value) => Volatile.Write(ref _value, value);

        public void Add(double value)
        {
            for (double before, seen = Volatile.Read(ref _value); ;)
            {
                before = seen;
                seen = Interlocked.CompareExchange(ref _value, before + value, before);
                if (seen.Equals(before))
                {
                    return;
                }
            }
        }
    }
}
