using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Tracker;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tracker;

/// <summary>A server whose peers a test registers by hand, so that it says itself who registered which from where.</summary>
public class RelayNode : VtpApi
{
    public const string PublicKey = "a-key-for-the-tracker";
    public const string OtherPublicKey = "another-key-for-the-tracker";

    private readonly string? _database;
    private readonly (string Name, string Value)[] _settings;

    public RelayNode()
        : this(database: null, new PeerBook(), [])
    {
    }

    internal RelayNode(string? database, PeerBook peers, (string Name, string Value)[] settings) => (_database, Peers, _settings) = (database, peers, settings);

    public PeerBook Peers { get; }

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Tracker:ApiKeys", $"{PublicKey},{OtherPublicKey}"),
        new("Relay:Patience", "00:00:02"),
        .. _settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)),
    ];

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);

    protected override void Replace(IServiceCollection services) => services.AddSingleton<IPeerDirectory>(Peers);

    /// <summary>Of the key that the installation itself has.</summary>
    internal TrackerCredential Own(string key = PublicKey) => Service<ITrackerKeys>().FindConfigured(key)!;

    /// <summary>Somebody has registered.</summary>
    internal RegisteredPeer Register(string peerId, string key = PublicKey, string origin = "127.0.0.1", bool isOnline = true)
    {
        var peer = new RegisteredPeer(Own(key).Project, peerId, "host", Own(key).Id, IPAddress.Parse(origin), isOnline);
        Peers.Add(peer);
        return peer;
    }

    public static string NewId(string kind = "peer") => $"{kind}-{Guid.NewGuid():N}";

    internal Task<RelayClient> ConnectAsync(string peerId, string? key = null) => RelayClient.ConnectAsync(this, $"/relay?peer_id={peerId}", key);

    /// <summary>A peer that has registered and connected, as peers of the field do: without its key.</summary>
    internal Task<RelayClient> PeerAsync(string? peerId = null)
    {
        peerId ??= NewId();
        Register(peerId);
        return ConnectAsync(peerId);
    }
}

/// <summary>A directory of peers that a test writes.</summary>
public sealed class PeerBook : IPeerDirectory
{
    private readonly ConcurrentDictionary<(ProjectId Project, string PeerId), RegisteredPeer> _peers = new();
    private readonly ConcurrentDictionary<Action<TrackerChange>, bool> _watchers = new();

    public RegisteredPeer? Find(ProjectId project, string peerId) => _peers.GetValueOrDefault((project, peerId));

    public IReadOnlyList<RegisteredPeer> FindAnywhere(string peerId) => [.. _peers.Values.Where(peer => peer.PeerId == peerId)];

    public TrackerCounts Count(ProjectId project) => new(_peers.Values.Count(peer => peer.Project == project && peer.IsOnline), _peers.Values.Count(peer => peer.Project == project), Files: 1);

    public TrackerCounts CountAll() => new(_peers.Values.Count(peer => peer.IsOnline), _peers.Count, Files: 1);

    public IDisposable Watch(Action<TrackerChange> onChange)
    {
        _watchers[onChange] = true;
        return new Watching(() => _watchers.TryRemove(onChange, out _));
    }

    public void Add(RegisteredPeer peer)
    {
        _peers[(peer.Project, peer.PeerId)] = peer;
        Tell(new TrackerChange.PeerJoined(peer.Project, peer.PeerId, peer.Hostname, peer.Origin.ToString(), 6881));
    }

    public void Remove(RegisteredPeer peer)
    {
        _peers.TryRemove((peer.Project, peer.PeerId), out _);
        Tell(new TrackerChange.PeerLeft(peer.Project, peer.PeerId));
    }

    public void Tell(TrackerChange change)
    {
        foreach (var watcher in _watchers.Keys)
        {
            watcher(change);
        }
    }

    private sealed class Watching(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
