using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>What has become of the recording of a live room. For teachers and administrators.</summary>
/// <param name="SessionId">Of the recording.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsRead, NeedsSecret = true)]
public sealed record GetRoomRecordingQuery(Guid SessionId, Guid? OrgId) : IQuery<RecordingDetails>;

/// <param name="SessionId">Of the recording.</param>
/// <param name="RoomId">As the room was called.</param>
/// <param name="Status">
/// <c>starting</c>, <c>recording</c>, <c>stopped</c> (its file is being finished), <c>completed</c> or <c>failed</c>.
/// </param>
/// <param name="StartedBy">The account or API key.</param>
/// <param name="EndedAt">Null while it runs.</param>
/// <param name="File">Where the media server put it; null until it has told so by its webhook, as all below.</param>
/// <param name="SizeBytes">Of the file.</param>
/// <param name="DurationSeconds">Of what was recorded.</param>
/// <param name="Error">Why there is no file, as the media server says it.</param>
public sealed record RecordingDetails(
    [property: JsonPropertyName("sessionId")] Guid SessionId,
    string RoomId,
    string Status,
    Guid StartedBy,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    string? File,
    long? SizeBytes,
    double? DurationSeconds,
    string? Error);

internal sealed class GetRoomRecordingValidator : AbstractValidator<GetRoomRecordingQuery>
{
    public GetRoomRecordingValidator() => RuleFor(query => query.SessionId).NotEmpty();
}

internal sealed class GetRoomRecordingHandler(RecordingAccess access) : IRequestHandler<GetRoomRecordingQuery, Result<RecordingDetails>>
{
    public async Task<Result<RecordingDetails>> Handle(GetRoomRecordingQuery request, CancellationToken cancellationToken) =>
        (await access.FindAsync(request.SessionId, request.OrgId, cancellationToken)).TryGet(out var recording, out var refusal)
            ? new RecordingDetails(
                recording.Id,
                recording.RoomId,
                recording.Status,
                recording.StartedBy,
                recording.StartedAt,
                recording.EndedAt,
                recording.File?.Name,
                recording.File?.SizeBytes,
                recording.File?.DurationSeconds,
                recording.File?.Error)
            : refusal;
}
