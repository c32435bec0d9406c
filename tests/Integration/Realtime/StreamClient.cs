using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>One event of a stream, as a browser's client would tell it.</summary>
public sealed record StreamEvent(string Name, string? Id, JsonElement Data);

/// <summary>Reads a dashboard's stream as the HTML standard says.</summary>
public sealed class StreamClient : IAsyncDisposable
{
    public const string Path = "/api/dashboard/realtime/sse";

    private readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });
    private readonly CancellationTokenSource _stop = new();
    private HttpResponseMessage? _response;
    private Task _reading = Task.CompletedTask;
    private bool _isDisposed;

    public ConcurrentQueue<StreamEvent> Events { get; } = new();

    public int Comments { get; private set; }

    public int? Retry { get; private set; }

    /// <summary>What a browser would send when it comes back.</summary>
    public string? LastEventId { get; private set; }

    public bool HasEnded => _reading.IsCompleted;

    public HttpResponseMessage Response => _response!;

    public string ClientId => Events.First(one => one.Name == "connected").Data.GetProperty("clientId").GetString()!;

    public static async Task<StreamClient> OpenAsync(
        VtpApi api, Person? person, string query = "", string? lastEventId = null, string? encoding = null, params (string Name, string Value)[] headers)
    {
        var client = new StreamClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(api.Url, Path + query));
        request.Headers.Authorization = person is null ? null : new AuthenticationHeaderValue("Bearer", person.AccessToken);
        foreach (var (name, value) in headers.Append(("Last-Event-ID", lastEventId ?? "")).Append(("Accept-Encoding", encoding ?? "")).Where(header => header.Item2.Length > 0))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        client._response = await client._http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (client.Response.IsSuccessStatusCode)
        {
            client._reading = client.ReadAsync(encoding);
            await client.WaitAsync("connected");
        }

        return client;
    }

    /// <summary>One of these, once it was told.</summary>
    public async Task<StreamEvent> WaitAsync(string name, Func<JsonElement, bool>? isIt = null)
    {
        StreamEvent? found = null;
        try
        {
            await VtpApi.UntilAsync(() => (found = Events.FirstOrDefault(one => one.Name == name && isIt?.Invoke(one.Data) != false)) is not null, name);
        }
        catch (TimeoutException timeout)
        {
            throw new TimeoutException($"{timeout.Message} It was told: {string.Join("; ", Events.TakeLast(10).Select(one => $"{one.Name} {one.Data}"))}", timeout);
        }

        return found!;
    }

    public Task EndAsync() => VtpApi.UntilAsync(() => HasEnded, "the stream to end");

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _stop.CancelAsync();
        _response?.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync(string? encoding)
    {
        var body = await Response.Content.ReadAsStreamAsync(_stop.Token);
        using var reader = new StreamReader(encoding switch
        {
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            _ => body,
        });
        var (name, id, data) = ("message", default(string), default(string));
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case [""] when data is not null:
                    LastEventId = id ?? LastEventId;
                    Events.Enqueue(new StreamEvent(name, id, JsonElement.Parse(data)));
                    (name, id, data) = ("message", null, null);
                    break;
                case ["event", var value]:
                    name = value;
                    break;
                case ["id", var value]:
                    id = value;
                    break;
                case ["data", var value]:
                    data = value;
                    break;
                case ["retry", var value]:
                    Retry = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case [":"]:
                    Comments++;
                    break;
            }
        }
    }
}
