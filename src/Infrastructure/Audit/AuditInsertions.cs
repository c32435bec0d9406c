using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Vtp.Application.Common.Pipeline;

namespace Vtp.Infrastructure.Audit;

/// <summary>Entries that VTP did not write, met by whoever seals: each is told of once, not each second.</summary>
internal sealed partial class AuditInsertions : IDisposable
{
    // Somebody who inserts thousands has been told of.
    private const int MaximumKnown = 1000;

    private readonly ILogger<AuditInsertions> _logger;
    private readonly ConcurrentDictionary<Guid, bool> _known = new();
    private readonly Meter _meter = new(Telemetry.Name);
    private readonly Counter<long> _found;

    public AuditInsertions(ILogger<AuditInsertions> logger)
    {
        _logger = logger;
        _found = _meter.CreateCounter<long>("vtp.audit.inserted", description: "Entries of the trail that VTP did not write: they are not sealed.");
    }

    public void Found(Guid id, Guid? organization)
    {
        if (_known.Count < MaximumKnown && _known.TryAdd(id, true))
        {
            _found.Add(1);
            LogFound(id, organization);
        }
    }

    public void Dispose() => _meter.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Audit entry {Id} of {Organization} was not written by VTP: it is not sealed, and verifying the trail reports it")]
    private partial void LogFound(Guid id, Guid? organization);
}
