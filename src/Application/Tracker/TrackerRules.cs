using FluentValidation;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker;

/// <summary>What fields of the tracker's requests look like.</summary>
internal static class TrackerRules
{
    public const int MaximumLimit = 1000;

    /// <summary>Of a peer's lists; what is not asked for in pages comes in one, as clients of the field expect it.</summary>
    public static (int Page, int Limit) Clamp(int? page, int? limit) => (Math.Clamp(page ?? 1, 1, 1_000_000), Math.Clamp(limit ?? MaximumLimit, 1, MaximumLimit));

    public static void IsPeerId<T>(this IRuleBuilderInitial<T, string?> rule) => rule.Custom((peerId, context) =>
    {
        if (PeerName.Fault(peerId) is { } fault)
        {
            context.AddFailure(fault);
        }
    });

    public static void IsHostname<T>(this IRuleBuilderInitial<T, string?> rule) => rule.Custom((hostname, context) =>
    {
        if (PeerName.HostnameFault(hostname) is { } fault)
        {
            context.AddFailure(fault);
        }
    });
}
