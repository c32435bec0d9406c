using System.Text.Json;
using Vtp.Domain.Audit;

namespace Vtp.Application.Events;

/// <summary>
/// One thing that happened, as webhooks, streams and <c>GET /events</c> tell it: everywhere with the same id. The entry of
/// the trail that was written with it has that id too, when it is the first event of its request.
/// </summary>
/// <param name="Id">Tells a repetition from another event.</param>
/// <param name="Type"><c>thing.what_happened</c>; docs/events.md lists them.</param>
/// <param name="Event">The same as <c>type</c>, for receivers of older systems.</param>
/// <param name="Timestamp">When it happened.</param>
/// <param name="ProjectId">Null for what is the organization's own.</param>
/// <param name="Subject">What it happened to; events of one subject come in the order in which they happened.</param>
/// <param name="TraceId">Of the request that did it (W3C Trace Context).</param>
/// <param name="Data">Its fields, by its type.</param>
public sealed record EventView(
    Guid Id,
    string Type,
    string Event,
    DateTimeOffset Timestamp,
    Guid OrganizationId,
    Guid? ProjectId,
    string Subject,
    EventActor Actor,
    string? TraceId,
    JsonElement Data);

/// <param name="Id">Of the account or the API key.</param>
public sealed record EventActor(ActorType Type, Guid? Id);
