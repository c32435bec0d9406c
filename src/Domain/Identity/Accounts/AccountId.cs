using Vtp.Domain.Common;

namespace Vtp.Domain.Identity.Accounts;

/// <summary>UUID version 7, so that ids sort by time of creation.</summary>
public readonly record struct AccountId(Guid Value)
{
    public static AccountId New(DateTimeOffset now) => new(Uuid.NewVersion7(now));

    public override string ToString() => Value.ToString();
}
