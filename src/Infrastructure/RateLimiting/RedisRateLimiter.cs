using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Vtp.Application.Common;
using Vtp.Infrastructure.Redis;

namespace Vtp.Infrastructure.RateLimiting;

/// <summary>
/// All nodes count together, by Redis's clock: one round trip for all budgets of a request. While Redis is away each node
/// counts its share of them by itself.
/// </summary>
internal sealed partial class RedisRateLimiter(
    RedisConnection redis, RateLimitSettings settings, LocalBudgets budgets, KnownNodes nodes, RateLimitMetrics metrics, ILogger<RedisRateLimiter> logger)
    : IRateLimiter
{
    private const long TicksPerSecond = 1_000_000;

    // In braces, so that a cluster keeps all keys of one request together.
    private const string Prefix = "vtp:{limits}:";

    // For each key: when it is whole again. ARGV: whether to take, then interval, tolerance and cost of each. Numbers are
    // written by hand, because Lua's own form of them has fourteen digits.
    private const string Script = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local answer = { now }
        local admits = true
        for i = 1, #KEYS do
          local at = math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now)
          answer[i + 1] = at
          if at + ARGV[3 * i + 1] - ARGV[3 * i - 1] - now > tonumber(ARGV[3 * i]) then admits = false end
        end
        if admits and ARGV[1] == '1' then
          for i = 1, #KEYS do
            local at = answer[i + 1] + ARGV[3 * i + 1]
            answer[i + 1] = at
            redis.call('SET', KEYS[i], string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
          end
        end
        answer[#KEYS + 2] = admits and 1 or 0
        return answer
        """;

    private readonly Dictionary<string, Budget> _budgets = settings.Policies.ToDictionary(
        policy => policy.Key, policy => Budget.Of(policy.Value, TicksPerSecond), StringComparer.Ordinal);

    public RateLimitPolicy PolicyOf(string name) => settings.Policies[name];

    public async ValueTask<RateLimitDecision> TakeAsync(RateLimitCharge[] charges, CancellationToken cancellationToken)
    {
        var (decision, counted) = await DecideAsync(charges, isLook: false, cancellationToken);
        metrics.Decided(decision, counted);
        return decision;
    }

    public async ValueTask<RateLimitDecision> LookAsync(RateLimitCharge[] charges, CancellationToken cancellationToken) =>
        (await DecideAsync(charges, isLook: true, cancellationToken)).Decision;

    private async ValueTask<(RateLimitDecision Decision, string Counted)> DecideAsync(RateLimitCharge[] charges, bool isLook, CancellationToken cancellationToken)
    {
        if (charges.Length == 0)
        {
            return (new RateLimitDecision([]), RateLimitMetrics.OnRedis);
        }

        var (keys, arguments) = Question(charges, isLook);
        var (isAnswered, answer) = await redis.AskAsync(database => database.ScriptEvaluateAsync(Script, keys, arguments), cancellationToken);
        Note(isAnswered);
        return isAnswered
            ? (Read(charges, (long[])answer!), RateLimitMetrics.OnRedis)
            : (budgets.Decide(charges, isLook, nodes.Count), RateLimitMetrics.OnShare);
    }

    private (RedisKey[] Keys, RedisValue[] Arguments) Question(RateLimitCharge[] charges, bool isLook)
    {
        var keys = new RedisKey[charges.Length];
        var arguments = new RedisValue[1 + (3 * charges.Length)];
        arguments[0] = isLook ? 0 : 1;
        for (var index = 0; index < charges.Length; index++)
        {
            var (charge, budget) = (charges[index], _budgets[charges[index].Policy]);
            keys[index] = $"{Prefix}{charge.Policy}:{charge.Partition}";
            arguments[(3 * index) + 1] = budget.Interval;
            arguments[(3 * index) + 2] = budget.Tolerance;
            arguments[(3 * index) + 3] = budget.CostOf(charge.Cost);
        }

        return (keys, arguments);
    }

    private RateLimitDecision Read(RateLimitCharge[] charges, long[] answer)
    {
        var (now, isRefused) = (answer[0], answer[^1] == 0);
        return new RateLimitDecision([.. charges.Select((charge, index) =>
            _budgets[charge.Policy].State(charge, answer[index + 1], now, isRefused, TicksPerSecond))]);
    }

    private void Note(bool isAnswered)
    {
        if (!metrics.Alone(!isAnswered))
        {
            return;
        }

        if (isAnswered)
        {
            LogTogether();
        }
        else
        {
            LogAlone(nodes.Count);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rate limits are counted on this node alone, a share of 1/{Nodes} each, until Redis answers")]
    private partial void LogAlone(int nodes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rate limits are counted for all nodes together again")]
    private partial void LogTogether();
}
