using System.Text.Json;
using Vtp.Api.Http;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Files;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Api.Endpoints.Tracker;

/// <summary>
/// Reads the body of an announcement as it arrives: of each chunk 32 bytes are kept, and the first that cannot be right ends
/// it. Who may not announce is told so before anything is read.
/// </summary>
internal sealed class AnnouncementReader(TimeProvider clock)
{
    /// <summary>Bytes: a file with as many chunks as there may be, each about 110 bytes of JSON.</summary>
    public const int MaximumBody = 64 * 1024 * 1024;

    private const int Small = 256 * 1024;
    private const int MostLargeAtOnce = 4;
    private static readonly TimeSpan LargeArrivesWithin = TimeSpan.FromMinutes(1);

    private int _large;

    public async ValueTask<Result<AnnounceFileCommand>> ReadAsync(HttpContext context, ITrackerCaller tracker)
    {
        if (!(await tracker.FindAsync(project: null, context.RequestAborted)).TryGet(out var caller, out var refusal))
        {
            return refusal;
        }

        if (!caller.Role.Holds(Permission.ShareFiles))
        {
            return caller.Credential is null ? TrackerRefusals.Unauthenticated : Refusal.Forbidden;
        }

        if (!context.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException("Not JSON.", StatusCodes.Status415UnsupportedMediaType);
        }

        return context.Request.ContentLength <= Small ? await ReadAsync(context, context.RequestAborted) : await ReadLargeAsync(context);
    }

    /// <summary>A bounded number of them at a time, and none for longer than a minute.</summary>
    private async Task<Result<AnnounceFileCommand>> ReadLargeAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _large) > MostLargeAtOnce)
            {
                return TrackerRefusals.Busy;
            }

            using var late = new CancellationTokenSource(LargeArrivesWithin, clock);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
            try
            {
                return await ReadAsync(context, ended.Token);
            }
            catch (OperationCanceledException exception) when (late.IsCancellationRequested)
            {
                throw new BadHttpRequestException("Too slow.", StatusCodes.Status408RequestTimeout, exception);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _large);
        }
    }

    private static async Task<Result<AnnounceFileCommand>> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<AnnounceFileCommand>(context.Request.BodyReader, Json.Options, cancellationToken)
                ?? throw new BadHttpRequestException("Nothing.");
        }
        catch (RefusedException refused)
        {
            return refused.Refusal;
        }
    }
}
