using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Organizations;

namespace Vtp.Application.Audit;

/// <summary>How much one organization's trail tells, and of whom; of a key, its own project's.</summary>
/// <param name="Days">Whole days in UTC, today among them: 1 to 3650; 30 when absent.</param>
[Requires(Permission.ViewAuditLogs)]
[OpenToKeys(KeyScopes.AuditRead)]
public sealed record GetAuditStatisticsQuery(Guid OrgId, int? Days) : IQuery<AuditStatistics>, IAboutOrganization
{
    public const int DefaultDays = 30;

    OrganizationId? IAboutOrganization.Organization => new(OrgId);
}

/// <summary>What was done within a period.</summary>
/// <param name="FailedActions">Those that were refused.</param>
/// <param name="SuccessRate">Percent, two decimals; 0 when there was nothing.</param>
/// <param name="TopActions">The ten that occurred most.</param>
/// <param name="TopUsers">The ten people and keys who did most.</param>
/// <param name="StartDate">When its first day began, in UTC.</param>
/// <param name="EndDate">Now.</param>
public sealed record AuditStatistics(
    long TotalActions,
    long FailedActions,
    double SuccessRate,
    IReadOnlyList<AuditCount> TopActions,
    IReadOnlyList<AuditCount> TopUsers,
    int PeriodDays,
    DateTimeOffset StartDate,
    DateTimeOffset EndDate);

internal sealed class GetAuditStatisticsValidator : AbstractValidator<GetAuditStatisticsQuery>
{
    public GetAuditStatisticsValidator() =>
        RuleFor(query => query.Days).InclusiveBetween(1, Organization.MaximumAuditRetentionDays)
            .WithMessage($"Ask for 1 to {Organization.MaximumAuditRetentionDays} days.");
}

internal sealed class GetAuditStatisticsHandler(IAuditLog log, TimeProvider clock) : IRequestHandler<GetAuditStatisticsQuery, Result<AuditStatistics>>
{
    public async Task<Result<AuditStatistics>> Handle(GetAuditStatisticsQuery request, CancellationToken cancellationToken)
    {
        var (now, days) = (clock.GetUtcNow(), request.Days ?? GetAuditStatisticsQuery.DefaultDays);
        var first = DateOnly.FromDateTime(now.UtcDateTime).AddDays(1 - days);
        var totals = await log.CountAsync(first, cancellationToken);
        var rate = totals.Actions == 0 ? 0 : Math.Round(100.0 * (totals.Actions - totals.Refused) / totals.Actions, 2);
        return new AuditStatistics(
            totals.Actions,
            totals.Refused,
            rate,
            totals.TopActions,
            totals.TopActors,
            days,
            new DateTimeOffset(first, TimeOnly.MinValue, TimeSpan.Zero),
            now);
    }
}
