using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Application.Rooms.Signaling;

namespace Vtp.Application.Rooms.Recordings;

/// <summary>Tells all who are in a room that it is recorded, and that it is no more; who is just coming in must not miss it.</summary>
internal sealed class RecordingNews(ITopics topics)
{
    public const string Started = "recording-started";
    public const string Stopped = "recording-stopped";

    public async Task TellAsync(string name, RoomRecording recording, CancellationToken cancellationToken) => _ = await topics.PublishAsync(
        new Publication(
            LiveRoom.ChatTopicOf(recording.Room),
            name,
            JsonSerializer.SerializeToUtf8Bytes(new { room_id = recording.RoomId, roomId = recording.RoomId, session_id = recording.Id, sessionId = recording.Id })),
        cancellationToken);
}
