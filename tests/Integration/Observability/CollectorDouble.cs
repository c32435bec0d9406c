using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Vtp.Integration.Observability;

/// <param name="Parent">Empty for the first of a trace.</param>
/// <param name="Links">Spans of other traces, by their ids.</param>
public sealed record ReceivedSpan(
    string Trace, string Id, string Parent, string Name, IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<string> Links);

/// <summary>An OpenTelemetry collector, as far as HTTP and protobuf go: keeps what it is sent.</summary>
public sealed class CollectorDouble : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CollectorDouble(WebApplication app) => _app = app;

    /// <summary>Bodies by path.</summary>
    public ConcurrentQueue<(string Path, byte[] Body)> Received { get; } = new();

    public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public IReadOnlyList<ReceivedSpan> Spans => [.. Received.Where(one => one.Path == "/v1/traces").SelectMany(one => SpansOf(one.Body))];

    /// <summary>All that was sent, as text: a secret in it would be found.</summary>
    public string Text => string.Concat(Received.Select(one => Encoding.Latin1.GetString(one.Body)));

    public static async Task<CollectorDouble> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var collector = new CollectorDouble(builder.Build());
        collector._app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            collector.Received.Enqueue((context.Request.Path, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
        await collector._app.StartAsync();
        return collector;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static IEnumerable<ReceivedSpan> SpansOf(byte[] request) =>
        from resource in Protobuf.Fields(request, 1)
        from scope in Protobuf.Fields(resource, 2)
        from span in Protobuf.Fields(scope, 2)
        select new ReceivedSpan(
            Hex(span, 1),
            Hex(span, 2),
            Hex(span, 4),
            Protobuf.Text(span, 5),
            Protobuf.Fields(span, 9).ToDictionary(pair => Protobuf.Text(pair, 1), pair => Protobuf.Value(Protobuf.Fields(pair, 2).Single()), StringComparer.Ordinal),
            [.. Protobuf.Fields(span, 13).Select(link => Hex(link, 2))]);

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Protobuf.Fields(message, field).SingleOrDefault([]));
}

/// <summary>As much of the wire format as spans need.</summary>
internal static class Protobuf
{
    /// <summary>Fields of a number that have a length: texts, bytes and messages.</summary>
    public static IEnumerable<byte[]> Fields(byte[] message, int number) =>
        Read(message).Where(field => field.Number == number).Select(field => field.Bytes).OfType<byte[]>();

    public static string Text(byte[] message, int number) => Encoding.UTF8.GetString(Fields(message, number).Single());

    /// <summary>An AnyValue: a text, else a number.</summary>
    public static string Value(byte[] message) => Read(message).SingleOrDefault() switch
    {
        { Number: 1, Bytes: { } text } => Encoding.UTF8.GetString(text),
        var other => $"{other.Number64}",
    };

    private static List<(int Number, byte[]? Bytes, ulong Number64)> Read(byte[] message)
    {
        var fields = new List<(int, byte[]?, ulong)>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields.Add((number, null, Varint(message, ref at)));
                    break;
                case 1:
                    fields.Add((number, null, BitConverter.ToUInt64(message, at)));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add((number, message[at..(at + length)], 0));
                    at += length;
                    break;
                case 5:
                    fields.Add((number, null, BitConverter.ToUInt32(message, at)));
                    at += 4;
                    break;
                default:
                    throw new FormatException($"Wire type {key & 7} at {at}.");
            }
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
