using System.Buffers.Text;
using System.Text;
using StackExchange.Redis;
using Vtp.Application.Realtime;
using Vtp.Infrastructure.Caching;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.Realtime;

/// <summary>
/// The log as a stream of Redis. Appending and telling is one script; a Redis that comes back empty has another epoch.
/// </summary>
internal sealed class RedisBackplane : IBackplane
{
    // Bounds what a node that starts is given; those that run hold their own.
    private const int KeptMessages = 10_000;

    // KEYS: epoch, head, log. ARGV: the epoch of a log that has to begin; where the caller knows it to be. A Redis that comes
    // back with what it had a while ago would give the same offsets again.
    private const string Begin =
        """
        local epoch = redis.call('get', KEYS[1])
        local head = tonumber(redis.call('get', KEYS[2]) or '0')
        if not epoch or (epoch == ARGV[2] and head < tonumber(ARGV[3])) then
            epoch = ARGV[1]
            head = 0
            redis.call('set', KEYS[1], epoch)
            redis.call('del', KEYS[2], KEYS[3])
        end
        """;

    // ARGV: further the channel; how many are kept; the messages.
    private const string Append =
        Begin + "\n" + """
        local count = #ARGV - 5
        local notice = { epoch .. ' ' .. string.format('%d', head) .. ' ' }
        for index = 1, count do
            local message = ARGV[index + 5]
            redis.call('xadd', KEYS[3], 'maxlen', '~', ARGV[5], string.format('%d-0', head + index), 'm', message)
            notice[index + 1] = #message .. ':' .. message
        end
        redis.call('set', KEYS[2], string.format('%d', head + count))
        redis.call('publish', ARGV[4], table.concat(notice))
        return { epoch, head }
        """;

    private const string Look =
        Begin + "\n" + """
        local first = redis.call('xrange', KEYS[3], '-', '+', 'count', 1)
        local floor = head
        if #first > 0 then
            floor = tonumber(string.match(first[1][1], '^%d+')) - 1
        end
        return { epoch, head, floor }
        """;

    private const string Read =
        """
        local found = redis.call('xrange', KEYS[3], string.format('%d-0', ARGV[1] + 1), '+', 'count', ARGV[2])
        local answer = {}
        for index = 1, #found do
            answer[index * 2 - 1] = tonumber(string.match(found[index][1], '^%d+'))
            answer[index * 2] = found[index][2][2]
        end
        return answer
        """;

    private readonly RedisConnection _redis;
    private readonly RedisKey[] _keys;
    private readonly string _channel;

    public RedisBackplane(RedisConnection redis, CacheOptions options)
    {
        _redis = redis;
        _keys = [$"{options.Prefix}:{{realtime}}:epoch", $"{options.Prefix}:{{realtime}}:head", $"{options.Prefix}:{{realtime}}:log"];
        _channel = $"{options.Prefix}:realtime";
        redis.Restored += (_, _) => Listener.Wake();
    }

    public IBackplaneListener Listener { private get; set; } = null!;

    public async Task<IReadOnlyList<LogPosition>> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, LogPosition known, CancellationToken cancellationToken)
    {
        RedisValue[] arguments = [NewEpoch(), known.Epoch, known.Offset, _channel, KeptMessages, .. messages.Select(message => (RedisValue)message.ToArray())];
        var answer = (RedisResult[])await AskAsync(database => database.ScriptEvaluateAsync(Append, _keys, arguments), cancellationToken);
        var (epoch, before) = ((string)answer[0], (long)answer[1]);
        return [.. messages.Select((_, index) => new LogPosition(epoch, before + 1 + index))];
    }

    public async Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellationToken) =>
        await AskAsync(
            async database =>
            {
                await Task.WhenAll(messages.Select(message => database.PublishAsync($"{_channel}:passing", message.ToArray())));
                return true;
            },
            cancellationToken);

    public async Task<LogState> LookAsync(LogPosition known, CancellationToken cancellationToken)
    {
        var answer = (RedisResult[])await AskAsync(database => database.ScriptEvaluateAsync(Look, _keys, [NewEpoch(), known.Epoch, known.Offset]), cancellationToken);
        return new LogState((string)answer[0], (long)answer[1], (long)answer[2]);
    }

    public async Task<IReadOnlyList<KeptMessage>> ReadAsync(LogPosition after, int limit, CancellationToken cancellationToken)
    {
        var answer = (RedisResult[])await AskAsync(database => database.ScriptEvaluateAsync(Read, _keys, [after.Offset, limit]), cancellationToken);
        var kept = new List<KeptMessage>(answer.Length / 2);
        for (var index = 0; index < answer.Length; index += 2)
        {
            kept.Add(new KeptMessage((long)answer[index], (byte[])answer[index + 1]));
        }

        return kept;
    }

    /// <summary>When the first attempt to connect has ended; a Redis that is not there yet is subscribed to when it comes.</summary>
    public void Subscribe()
    {
        if (_redis.Subscriber is { } subscriber)
        {
            Watch(subscriber.SubscribeAsync(_channel, (_, notice) => Heard(notice)));
            Watch(subscriber.SubscribeAsync($"{_channel}:passing", (_, message) => Listener.Sent((byte[])message)));
        }

        static void Watch(Task subscribing) =>
            _ = subscribing.ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary><c>epoch offset 5:first6:second</c>, in bytes.</summary>
    private void Heard(byte[] notice)
    {
        var rest = (ReadOnlyMemory<byte>)notice;
        if (!TryTake((byte)' ', out var epoch) || !TryTake((byte)' ', out var before) || !Utf8Parser.TryParse(before.Span, out long offset, out _))
        {
            Listener.Wake();
            return;
        }

        var messages = new List<ReadOnlyMemory<byte>>();
        while (TryTake((byte)':', out var size) && Utf8Parser.TryParse(size.Span, out int length, out _) && length >= 0 && length <= rest.Length)
        {
            messages.Add(rest[..length]);
            rest = rest[length..];
        }

        Listener.Appended(new LogPosition(Encoding.ASCII.GetString(epoch.Span), offset + 1), messages);

        bool TryTake(byte end, out ReadOnlyMemory<byte> taken)
        {
            var length = rest.Span.IndexOf(end);
            taken = length < 0 ? default : rest[..length];
            rest = length < 0 ? default : rest[(length + 1)..];
            return length >= 0;
        }
    }

    private async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask, CancellationToken cancellationToken)
    {
        var (isAnswered, answer) = await _redis.AskAsync(ask, cancellationToken);
        return isAnswered ? answer! : throw new TimeoutException("Redis does not answer.");
    }

    private static string NewEpoch() => Guid.NewGuid().ToString("N")[..8];
}
