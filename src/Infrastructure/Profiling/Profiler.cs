using Microsoft.Diagnostics.NETCore.Client;
using Vtp.Application.Operations.Profiling;
using Vtp.Domain.Common;

namespace Vtp.Infrastructure.Profiling;

/// <summary>Takes profiles of this process, one at a time: a second recording would show the first, and each costs.</summary>
internal sealed class Profiler : IProfiler, IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    public async Task<Result<Profile>> TakeAsync(ProfileKind kind, ProfileFormat format, TimeSpan duration, CancellationToken cancellationToken)
    {
        if (!await _one.WaitAsync(TimeSpan.Zero, cancellationToken))
        {
            return ProfileRefusals.Running;
        }

        try
        {
            using var recording = await Recording.OfAsync(kind, duration, cancellationToken);
            var content = format == ProfileFormat.Nettrace
                ? recording.Open()
                : await Task.Run(() => ProfileReader.Read(recording, kind, format), cancellationToken);
            return new Profile(
                $"vtp-{kind.ToString().ToLowerInvariant()}{ExtensionOf(format)}",
                format == ProfileFormat.Nettrace ? "application/octet-stream" : "application/json",
                content);
        }
        catch (Exception exception) when (exception is DiagnosticsClientException or IOException)
        {
            return ProfileRefusals.Unavailable;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static string ExtensionOf(ProfileFormat format) => format switch
    {
        ProfileFormat.Nettrace => ".nettrace",
        ProfileFormat.Speedscope => ".speedscope.json",
        _ => ".json",
    };
}
