namespace Vtp.Application.Operations;

/// <summary>How this node stands to Redis, for those who look after it.</summary>
public interface IRedisStatus
{
    /// <summary>Whether it answered when it was last asked; null where none is configured.</summary>
    bool? IsUp { get; }
}
