using System.Collections.Concurrent;
using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Infrastructure.Realtime.Dashboard;

/// <summary>By presence: every node knows who watches on the others, and forgets those of a node that died.</summary>
internal sealed class DashboardAudience : IDashboardAudience, IDisposable
{
    private const string Topic = "dashboard";

    private readonly IPresence _presence;
    private readonly ConcurrentDictionary<string, DashboardWatcher> _watchers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DashboardWatcher> _here = new(StringComparer.Ordinal);

    public DashboardAudience(IPresence presence)
    {
        _presence = presence;
        presence.Changed += OnChanged;
    }

    public IReadOnlyList<DashboardWatcher> Watchers => [.. _watchers.Values];

    public IReadOnlyCollection<DashboardScope> Watched => [.. _here.Values.Select(watcher => ScopeOf(watcher.Scope)).Distinct()];

    public bool IsWatched(DashboardScope scope) => !_watchers.IsEmpty && _watchers.Values.Any(watcher => watcher.Scope == scope.Id);

    public bool TryEnter(DashboardWatcher watcher)
    {
        _here[watcher.Id] = watcher;
        _presence.Enter(Topic, watcher.Id, JsonSerializer.SerializeToUtf8Bytes(watcher, JsonSerializerOptions.Default));
        if (MayStay(watcher))
        {
            return true;
        }

        Leave(watcher);
        return false;
    }

    public bool MayStay(DashboardWatcher watcher) => _watchers.Values.Count(other =>
        other.Account == watcher.Account && other.Kind == watcher.Kind && other.Id != watcher.Id
        && (other.Since, other.Id).CompareTo((watcher.Since, watcher.Id)) < 0) < DashboardWatcher.MaximumPerAccount;

    public void Leave(DashboardWatcher watcher)
    {
        if (_here.TryRemove(KeyValuePair.Create(watcher.Id, watcher)))
        {
            _presence.Leave(Topic, watcher.Id);
        }
    }

    public void Dispose() => _presence.Changed -= OnChanged;

    private static DashboardScope ScopeOf(Guid id) => id == Guid.Empty ? DashboardScope.Installation : new DashboardScope(new OrganizationId(id));

    private void OnChanged(object? sender, PresenceChangedEventArgs change)
    {
        if (change.Topic != Topic)
        {
            return;
        }

        if (!change.HasEntered)
        {
            _watchers.TryRemove(change.Member.Id, out _);
        }
        else if (JsonSerializer.Deserialize<DashboardWatcher>(change.Member.Data.Span, JsonSerializerOptions.Default) is { } watcher)
        {
            _watchers[watcher.Id] = watcher;
        }
    }
}
