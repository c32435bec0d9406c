using Vtp.Application.Operations;

namespace Vtp.Infrastructure.Redis;

internal sealed class RedisStatus(RedisConnection? connection) : IRedisStatus
{
    public bool? IsUp => connection?.IsUp;
}
