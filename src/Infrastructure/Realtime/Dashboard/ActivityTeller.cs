using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Vtp.Application.Audit;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Domain.Audit;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Infrastructure.Audit;

namespace Vtp.Infrastructure.Realtime.Dashboard;

/// <summary>Tells dashboards what the audit trail records, once it is sealed: sign-ins and changes, without what was sent or from where.</summary>
internal sealed partial class ActivityTeller : BackgroundService
{
    // Of one second of one chain; nobody reads more, and it would push out what others missed.
    private const int MostAtOnce = 50;
    private const int MostUntold = 100;

    private static readonly string System = AuditWords.Stored(ActorType.System);

    private readonly IDashboardAudience _audience;
    private readonly DashboardReader _reader;
    private readonly ITopics _topics;
    private readonly TimeProvider _clock;
    private readonly ILogger<ActivityTeller> _logger;

    private readonly Channel<IReadOnlyList<SealedEntry>> _sealed = Channel.CreateBounded<IReadOnlyList<SealedEntry>>(
        new BoundedChannelOptions(MostUntold) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public ActivityTeller(SealedEntries entries, IDashboardAudience audience, DashboardReader reader, ITopics topics, TimeProvider clock, ILogger<ActivityTeller> logger)
    {
        (_audience, _reader, _topics, _clock, _logger) = (audience, reader, topics, clock, logger);
        entries.Wanted = chain => audience.IsWatched(DashboardScope.Installation) || (chain != Guid.Empty && audience.IsWatched(Of(chain)));
        entries.Told = told => _sealed.Writer.TryWrite(told);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var entries in _sealed.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await TellAsync([.. entries.Where(entry => !string.Equals(entry.ActorType, System, StringComparison.Ordinal)).TakeLast(MostAtOnce)], stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    private static DashboardScope Of(Guid organization) => new(new OrganizationId(organization));

    private async Task TellAsync(SealedEntry[] entries, CancellationToken cancellationToken)
    {
        var names = await _reader.NamesAsync([.. entries.Select(entry => entry.ActorId).OfType<Guid>().Distinct()], cancellationToken);
        foreach (var entry in entries)
        {
            var activity = DashboardReader.ActivityOf(entry, entry.ActorId is { } actor ? names.GetValueOrDefault(actor) : null, _clock.GetUtcNow());
            if (_audience.IsWatched(DashboardScope.Installation))
            {
                await _topics.PublishAsync(DashboardMessages.Of(DashboardScope.Installation, DashboardMessages.UserActivity, activity), cancellationToken);
            }

            if (entry.OrganizationId is { } organization && _audience.IsWatched(Of(organization)))
            {
                await _topics.PublishAsync(DashboardMessages.Of(Of(organization), DashboardMessages.UserActivity, activity), cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Dashboards could not be told what happened; it is in the trail")]
    private partial void LogFailed(Exception exception);
}
