using FluentValidation;
using Vtp.Application.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Tenancy.ApiKeys;

internal static class Overlaps
{
    public static TimeSpan Of(int? hours) => TimeSpan.FromHours(hours ?? ApiKey.DefaultOverlapHours);

    public static IRuleBuilderOptions<T, int?> IsOverlap<T>(this IRuleBuilder<T, int?> rule) =>
        rule.InclusiveBetween(0, ApiKey.MaximumOverlapHours).WithMessage($"The overlap is 0 to {ApiKey.MaximumOverlapHours} hours.");
}

internal static class KeyGrants
{
    /// <summary>
    /// Whether the caller may be shown a key with this one's powers. A person's role has decided that already; a key
    /// gives nothing that it does not have: no other scope, no longer life, no wider network.
    /// </summary>
    public static bool MayHandOut(this ICaller caller, ApiKey key) => caller.Key is not { } own
        || (own.Environment == key.Environment
            && own.Scopes.Cover(key.Scopes)
            && (own.ExpiresAt is null || key.ExpiresAt <= own.ExpiresAt)
            && (own.AllowedCidrs.Count == 0 || (key.AllowedCidrs.Length > 0 && key.AllowedCidrs.All(own.AllowedCidrs.Contains))));
}
