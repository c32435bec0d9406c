namespace Vtp.Infrastructure.Persistence;

/// <summary>What a unit of work has changed that other nodes shall look at as soon as it is committed.</summary>
internal sealed class Announcements(Func<string, Task> announce)
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public void Add(string name) => _names.Add(name);

    public void Forget() => _names.Clear();

    /// <summary>Nobody waits for it: whoever is to look looks by itself a little later.</summary>
    public void Committed()
    {
        foreach (var name in _names)
        {
            _ = announce(name).ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        _names.Clear();
    }
}
