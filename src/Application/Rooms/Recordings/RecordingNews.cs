using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>Tells all who are in a room that it is recorded, and that it is no more; who is just coming in must not miss it.</summary>
internal sealed class RecordingNews(ITopics topics)
{
    /// <returns>Why they could not be told.</returns>
    public async Task<Refusal?> TellAsync(RoomRecording recording) => (await topics.PublishAsync(
        new Publication(
            LiveRoom.ChatTopicOf(recording.Room),
            recording.EndedAt is not null ? "recording-stopped" : "recording-started",
            JsonSerializer.SerializeToUtf8Bytes(new { room_id = recording.RoomId, roomId = recording.RoomId, session_id = recording.Id, sessionId = recording.Id })),
        CancellationToken.None)).Refusal;
}
