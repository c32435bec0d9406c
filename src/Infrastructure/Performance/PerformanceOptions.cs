using Vtp.Domain.Operations;

namespace Vtp.Infrastructure.Performance;

internal sealed class PerformanceOptions
{
    /// <summary>From when on a statement is slow.</summary>
    public TimeSpan SlowQuery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Other thresholds by the names of <see cref="AlertRule.All"/>; 0 silences a rule.</summary>
    public Dictionary<string, double> Alerts { get; init; } = [];

    public bool AreAlertsKnown => Alerts.All(alert => alert.Value >= 0 && AlertRule.All.Any(rule => rule.Name == alert.Key));

    public double ThresholdOf(AlertRule rule) => Alerts.GetValueOrDefault(rule.Name, rule.Threshold);
}
