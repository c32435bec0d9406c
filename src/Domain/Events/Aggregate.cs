using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Domain.Events;

/// <param name="Project">Null for what is the organization's own; no project's key or webhook hears of it.</param>
/// <param name="Subject">What it happened to. Events of one subject stay in the order in which they were committed.</param>
public sealed record EventSource(OrganizationId Organization, ProjectId? Project, string Subject);

/// <summary>
/// An entity that says what happens to it. Saving it writes its events to the log in the same transaction; nobody has to
/// remember to.
/// </summary>
public abstract class Aggregate
{
    private List<object>? _events;

    public abstract EventSource Source();

    /// <summary>What has happened since this was asked last.</summary>
    public IReadOnlyList<object> TakeEvents()
    {
        var events = _events;
        _events = null;
        return events ?? [];
    }

    /// <param name="data">Of a type with <see cref="EventAttribute"/>: what listeners are told.</param>
    protected void Raise(object data) => (_events ??= []).Add(data);
}
