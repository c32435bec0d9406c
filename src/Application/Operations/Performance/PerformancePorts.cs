namespace Vtp.Application.Operations.Performance;

/// <summary>What this node has seen of itself since it started. Reading it asks nobody else.</summary>
public interface IPerformance
{
    PerformanceMetrics Read();

    /// <summary>Those that were asked for, slowest first.</summary>
    IReadOnlyList<EndpointPerformance> Endpoints();

    /// <summary>The last half hour, oldest first, a point each ten seconds.</summary>
    IReadOnlyList<PerformancePoint> History();

    /// <summary>The slowest statements that this node sent, slowest first.</summary>
    IReadOnlyList<SlowQuery> SlowQueries();

    /// <summary>From how many milliseconds on a statement is slow.</summary>
    double SlowQueryMs { get; }
}

/// <summary>What the database says of itself.</summary>
public interface IDatabasePerformance
{
    /// <summary>The slowest statements of all nodes, as <c>pg_stat_statements</c> counts them.</summary>
    /// <returns>Null where the database does not have it, or does not show it to VTP.</returns>
    Task<IReadOnlyList<SlowQuery>?> SlowQueriesAsync(double slowMs, CancellationToken cancellationToken);

    /// <summary>Tables of which so much has changed since they were last analysed that plans are made for other data.</summary>
    Task<IReadOnlyList<StaleTable>> StaleTablesAsync(CancellationToken cancellationToken);

    /// <summary>Large tables that are mostly read from end to end.</summary>
    Task<IReadOnlyList<ScannedTable>> ScannedTablesAsync(CancellationToken cancellationToken);

    /// <summary>Counts anew what the planner knows of a table.</summary>
    /// <returns>False: it took too long, or is not VTP's to analyse.</returns>
    Task<bool> AnalyzeAsync(string table, CancellationToken cancellationToken);
}

/// <param name="Rows">That live, by the database's own estimate.</param>
/// <param name="Changed">Rows that were changed since.</param>
/// <param name="AnalyzedAt">Null when it never was.</param>
public sealed record StaleTable(string Name, long Rows, long Changed, DateTimeOffset? AnalyzedAt);

/// <param name="Scans">From end to end.</param>
/// <param name="IndexScans">By an index.</param>
public sealed record ScannedTable(string Name, long Rows, long Scans, long IndexScans);
