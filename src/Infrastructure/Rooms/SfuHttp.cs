using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Vtp.Application.Rooms.Signaling;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Rooms;

/// <summary>
/// Speaks JSON with a unit. One that did not answer is not asked again for some seconds: a room must not wait for it with each
/// of those who come.
/// </summary>
internal sealed partial class SfuHttp(Uri address, TimeSpan timeout, TimeProvider clock, ILogger<SfuHttp> logger) : IDisposable
{
    private const int MaximumAnswer = 1 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(3),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        BaseAddress = new Uri($"{address.AbsoluteUri.TrimEnd('/')}/"),
        MaxResponseContentBufferSize = MaximumAnswer,
        Timeout = timeout,
    };

    private long _awaySince = long.MinValue;

    /// <param name="path">Behind the unit's address.</param>
    /// <param name="body">JSON.</param>
    /// <param name="token">A bearer token, where the unit asks for one.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    public async Task<Result<JsonElement>> PostAsync(string path, ReadOnlyMemory<byte> body, string? token, CancellationToken cancellationToken)
    {
        var since = Interlocked.Read(ref _awaySince);
        if (since != long.MinValue && clock.GetElapsedTime(since) < Pause)
        {
            return SfuRefusals.Away;
        }

        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ReadOnlyMemoryContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
            using var answer = await _http.SendAsync(request, cancellationToken);
            if ((int)answer.StatusCode >= 500 || answer.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests)
            {
                return Away(new HttpRequestException($"It answered {(int)answer.StatusCode}."));
            }

            Interlocked.Exchange(ref _awaySince, long.MinValue);
            return answer.IsSuccessStatusCode ? JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken))
                : answer.StatusCode == HttpStatusCode.NotFound ? SfuRefusals.Unknown
                : answer.StatusCode == HttpStatusCode.PreconditionFailed ? SfuRefusals.Over
                : SfuRefusals.Refused;
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Away(exception);
        }
    }

    public void Dispose() => _http.Dispose();

    private Refusal Away(Exception exception)
    {
        Interlocked.Exchange(ref _awaySince, clock.GetTimestamp());
        LogAway(exception);
        return SfuRefusals.Away;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The media server does not answer")]
    private partial void LogAway(Exception exception);
}

/// <summary>What clients sent goes on to the unit byte for byte, in an object of ours.</summary>
internal static class SfuJson
{
    public static ReadOnlyMemory<byte> Of(params (string Name, object? Value)[] fields)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
            {
                json.WritePropertyName(name);
                if (value is JsonElement element)
                {
                    json.WriteRawValue(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(element), skipInputValidation: true);
                }
                else
                {
                    JsonSerializer.Serialize(json, value);
                }
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
