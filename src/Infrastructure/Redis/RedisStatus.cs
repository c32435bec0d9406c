namespace Vtp.Infrastructure.Redis;

/// <summary>How this node stands to Redis, for those who look after it.</summary>
public sealed class RedisStatus
{
    private readonly RedisConnection? _connection;

    internal RedisStatus(RedisConnection? connection) => _connection = connection;

    /// <summary>Whether it answered when it was last asked; null where none is configured.</summary>
    public bool? IsUp => _connection?.IsUp;
}
