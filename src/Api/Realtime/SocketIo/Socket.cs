using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MediatR;
using Vtp.Api.Http;
using Vtp.Api.Realtime.EngineIo;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;

namespace Vtp.Api.Realtime.SocketIo;

/// <summary>One client in one namespace.</summary>
#pragma warning disable CA1001 // Its source of cancellation has neither a timer nor a wait handle; what it follows ends with it.
internal sealed class Socket : ITopicFollower
{
    /// <summary>The acknowledgement did not come in time, or the client has gone.</summary>
    public static readonly Refusal Unanswered = new(RefusalKind.Busy, "realtime.unanswered", "The client did not answer in time.");

    /// <summary>The reason for the end of a socket that was never let in.</summary>
    public const string Refused = "refused";

    private const int MaximumTopics = 128;
    private const int MaximumWaitingEvents = 64;

    private readonly SocketServices _services;
    private readonly EngineConnection _engine;
    private readonly ITopicSession _topics;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private readonly Queue<(SocketEvent Event, int? Id)> _events = new();
    private readonly Dictionary<int, TaskCompletionSource<Result<SocketEvent>>> _asked = [];
    private List<IReadOnlyList<OutgoingPacket>>? _held = [];
    private TaskCompletionSource? _roomForEvents;
    private Mark? _mark;
    private bool _isHandling;
    private int _nextAsk;
    private int _isOver;

    public Socket(SocketServices services, EngineConnection engine, SocketNamespace space, Connected? caller, string? sid = null)
    {
        (_services, _engine, Space, Caller, Id) = (services, engine, space, caller, sid ?? NewId());
        _topics = services.Topics.Open(this);
    }

    /// <summary>By which others know it; it stays the same when the client comes back to what it followed.</summary>
    public string Id { get; }

    public SocketNamespace Space { get; }

    /// <summary>Whose it is; null where a namespace is open to all.</summary>
    public Connected? Caller { get; private set; }

    public EngineHandshake Handshake => _engine.Handshake;

    /// <summary>It has been told that it missed nothing.</summary>
    public bool IsRecovered { get; set; }

    public bool IsConnected => Volatile.Read(ref _isOver) == 0;

    /// <summary>What the feature keeps of it.</summary>
    public object? State { get; set; }

    public IReadOnlyList<JoinedTopic> Topics => _topics.Topics;

    /// <summary>Only its client knows it, and comes back with it. Null where sockets do not come back.</summary>
    public string? Secret { get; set; }

    /// <summary>To this client alone. Not kept: who is interrupted misses it.</summary>
    public void Emit(string name, object? payload) => Emit(name, payload is null ? default : JsonSerializer.SerializeToUtf8Bytes(payload, Json.Options), []);

    /// <param name="name">Of the event.</param>
    /// <param name="data">JSON, several values with commas between them.</param>
    /// <param name="attachments">That placeholders in it refer to.</param>
    public void Emit(string name, ReadOnlySpan<byte> data, IReadOnlyList<ReadOnlyMemory<byte>> attachments)
    {
        lock (_lock)
        {
            // Clients take the last argument, when it is text, for how far they have come.
            var mark = Secret is not null && data is [.., (byte)'"'] ? _mark?.ToString() ?? "" : null;
            Send(SocketPacket.Write(SocketPacketType.Event, Space.Name, id: null, SocketPacket.Arguments(name, data, mark), attachments));
        }
    }

    /// <summary>Waits for the client's acknowledgement.</summary>
    public async Task<Result<SocketEvent>> AskAsync(string name, object? payload, TimeSpan patience, CancellationToken cancellationToken)
    {
        var asked = new TaskCompletionSource<Result<SocketEvent>>(TaskCreationOptions.RunContinuationsAsynchronously);
        int id;
        lock (_lock)
        {
            id = _nextAsk++;
            _asked.Add(id, asked);
        }

        if (!IsConnected)
        {
            asked.TrySetResult(Unanswered);
        }

        var data = payload is null ? default : JsonSerializer.SerializeToUtf8Bytes(payload, Json.Options);
        Send(SocketPacket.Write(SocketPacketType.Event, Space.Name, id, SocketPacket.Arguments(name, data, mark: null), []));
        await ((Task)asked.Task).WaitAsync(patience, _services.Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            _asked.Remove(id);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return asked.Task.IsCompletedSuccessfully ? await asked.Task : Unanswered;
    }

    /// <summary>Begins to follow, and writes that down for when it comes back.</summary>
    /// <returns>Whether all that came behind <paramref name="since"/> has been told; refused beyond 128 topics.</returns>
    public async ValueTask<Result<Joined>> JoinAsync(TopicInterest interest, LogPosition? since, CancellationToken cancellationToken)
    {
        if (_topics.Topics is { Count: >= MaximumTopics } followed && !followed.Any(one => one.Interest.Topic == interest.Topic))
        {
            return RealtimeRefusals.TooManyTopics;
        }

        var isComplete = await _topics.JoinAsync(interest, since, cancellationToken);
        await SaveAsync(cancellationToken);
        return new Joined(isComplete);
    }

    public async ValueTask LeaveAsync(string topic, CancellationToken cancellationToken)
    {
        _topics.Leave(topic);
        await SaveAsync(cancellationToken);
    }

    /// <summary>Goes on with what it followed on another connection; what it missed is told before anything else.</summary>
    public async ValueTask<bool> ResumeAsync(IReadOnlyList<JoinedTopic> topics, CancellationToken cancellationToken) =>
        IsRecovered = await _topics.ResumeAsync(topics, cancellationToken);

    /// <summary>Runs a use case for its caller, as a request would.</summary>
    public async Task<Result<T>> SendAsync<T>(IRequest<Result<T>> request, CancellationToken cancellationToken)
        where T : notnull
    {
        await using var scope = _services.Scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<HttpCaller>().Identify(Caller, Handshake.Address, Handshake.UserAgent);
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(request, cancellationToken);
    }

    /// <summary>Another access token of the same caller, before the credential that it came with has expired.</summary>
    /// <returns>Until when it is good; null when it is not, or somebody else's.</returns>
    public async ValueTask<DateTimeOffset?> RenewAsync(string token, CancellationToken cancellationToken)
    {
        if (await _services.Credentials.FromTokenAsync(token, cancellationToken) is not { } renewed || renewed.Owner != Caller?.Owner)
        {
            return null;
        }

        Caller = renewed;
        return renewed.GoodUntil;
    }

    /// <summary>The client is told, and does not come back by itself.</summary>
    public void Disconnect(Refusal? reason = null)
    {
        if (reason is not null)
        {
            Emit("error", SocketProblem.Of(reason));
        }

        Send(SocketPacket.Write(SocketPacketType.Disconnect, Space.Name, id: null, [], []));
        End("server namespace disconnect");
    }

    /// <summary>Accepted: this first, then what has waited for it.</summary>
    public void Accept(IReadOnlyList<OutgoingPacket> packets)
    {
        lock (_lock)
        {
            _engine.Send(packets);
            foreach (var held in _held ?? [])
            {
                _engine.Send(held);
            }

            _held = null;
        }
    }

    void ITopicFollower.Deliver(TopicMessage message, Mark? mark)
    {
        if (!Space.IsFor(this, message))
        {
            return;
        }

        var withMark = Secret is not null && mark is not null;
        var packets = !withMark || ReferenceEquals(mark, message.Mark)
            ? message.Rendered(Space.FormOf(withMark), _ => Render(withMark ? mark : null))
            : Render(mark);
        lock (_lock)
        {
            _mark = mark ?? _mark;
            Send(packets);
        }

        IReadOnlyList<OutgoingPacket> Render(Mark? with) => SocketPacket.Write(
            SocketPacketType.Event,
            Space.Name,
            id: null,
            SocketPacket.Arguments(Space.EventOf(message), Space.DataOf(message).Span, with?.ToString()),
            message.Publication.Attachments);
    }

    void ITopicFollower.Missed(string topic) => Emit("missed", new { topic });

    /// <summary>An event of the client's. They are handled one after the other; who sends more than that is not read from.</summary>
    public async ValueTask ReceiveAsync(SocketEvent happened, int? id)
    {
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (_events.Count < MaximumWaitingEvents)
                {
                    _events.Enqueue((happened, id));
                    if (_isHandling)
                    {
                        return;
                    }

                    _isHandling = true;
                    break;
                }

                room = (_roomForEvents ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await room;
        }

        _ = HandleAsync();
    }

    /// <summary>Of something that it was asked.</summary>
    public void Acknowledge(int id, SocketEvent answer)
    {
        TaskCompletionSource<Result<SocketEvent>>? asked;
        lock (_lock)
        {
            _asked.Remove(id, out asked);
        }

        asked?.TrySetResult(answer);
    }

    /// <summary>Once, whoever ends it.</summary>
    public void End(string reason)
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 1)
        {
            return;
        }

        _topics.Dispose();
        _over.Cancel();
        lock (_lock)
        {
            foreach (var asked in _asked.Values)
            {
                asked.TrySetResult(Unanswered);
            }

            _asked.Clear();
            _roomForEvents?.TrySetResult();
        }

        _services.Ended(this, reason);
    }

    private async Task HandleAsync()
    {
        // Off the thread that reads.
        await Task.Yield();
        while (true)
        {
            (SocketEvent Event, int? Id) next;
            lock (_lock)
            {
                if (!IsConnected || !_events.TryDequeue(out next))
                {
                    _isHandling = false;
                    _roomForEvents?.TrySetResult();
                    _roomForEvents = null;
                    return;
                }

                _roomForEvents?.TrySetResult();
                _roomForEvents = null;
            }

            var reply = await _services.HandleAsync(this, next.Event, _over.Token);
            if (next.Id is { } id)
            {
                Answer(id, reply);
            }
            else if (reply.Refusal is { } refusal)
            {
                Emit("error", SocketProblem.Of(refusal));
            }
        }
    }

    private void Answer(int id, SocketReply reply)
    {
        var attachments = reply.Answer is SocketReply.RawReply { Attachments: var raw } ? raw : [];
        var json = reply switch
        {
            { Refusal: { } refusal } => JsonSerializer.SerializeToUtf8Bytes(new object[] { SocketProblem.Of(refusal) }, Json.Options),
            { Answer: SocketReply.RawReply answer } => Encoding.UTF8.GetBytes($"[{string.Join(',', answer.Arguments.Select(argument => argument.GetRawText()))}]"),
            { Answer: { } answer } => JsonSerializer.SerializeToUtf8Bytes(new object[] { answer }, Json.Options),
            _ => [(byte)'[', (byte)']'],
        };
        Send(SocketPacket.Write(SocketPacketType.Ack, Space.Name, id, json, attachments));
    }

    private void Send(IReadOnlyList<OutgoingPacket> packets)
    {
        lock (_lock)
        {
            if (_held is not null)
            {
                _held.Add(packets);
                return;
            }
        }

        _engine.Send(packets);
    }

    private async ValueTask SaveAsync(CancellationToken cancellationToken)
    {
        if (Secret is { } secret && Caller is { } caller)
        {
            await _services.Sessions.SaveAsync(
                new ConnectionSession(HashOf(secret), caller.Owner, Space.Name, Id, _topics.Topics), cancellationToken);
        }
    }

    public static byte[] HashOf(string secret) => Domain.Identity.OneTimeSecret.Hash(secret);

    private static string NewId() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(15));
}

/// <param name="Recovered">Nothing was missed.</param>
internal sealed record Joined(bool Recovered);
