using System.Buffers;
using System.Text;
using System.Text.Json;
using Vtp.Application.Realtime;
using Vtp.Application.Realtime.Dashboard;

namespace Vtp.Api.Realtime.Dashboard;

/// <summary>Events as the HTML standard's event streams carry them (server-sent events, section 9.2).</summary>
internal static class DashboardFrames
{
    /// <summary>Keeps proxies from taking the connection for idle.</summary>
    public static readonly byte[] Heartbeat = ":\n\n"u8.ToArray();

    private static readonly object Form = new();

    /// <summary>Parsed once, however many are told it.</summary>
    public static DashboardNotice NoticeOf(TopicMessage message) => message.Rendered(Form, DashboardNotice.Of);

    public static byte[] Of<T>(string name, T data, string? id = null) => OfJson(name, JsonSerializer.SerializeToUtf8Bytes(data, DashboardMessages.Json), id);

    /// <param name="data">JSON without line breaks, as serializers write it.</param>
    public static byte[] OfJson(string name, ReadOnlySpan<byte> data, string? id)
    {
        var frame = new ArrayBufferWriter<byte>(data.Length + 128);
        if (id is not null)
        {
            frame.Write("id: "u8);
            Encoding.ASCII.GetBytes(id, frame);
            frame.Write("\n"u8);
        }

        frame.Write("event: "u8);
        Encoding.ASCII.GetBytes(name, frame);
        frame.Write("\ndata: "u8);
        frame.Write(data);
        frame.Write("\n\n"u8);
        return frame.WrittenSpan.ToArray();
    }

    /// <summary>After how long a client comes back: not all of them at once.</summary>
    public static byte[] Retry(int milliseconds) => Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"retry: {milliseconds}\n\n"));
}
