using Vtp.Application.Events;
using Vtp.Infrastructure.Tenancy;
using Vtp.Infrastructure.Tokens;

namespace Vtp.Api.Http;

/// <summary>
/// Asks again each time that the log has grown, until there is an answer or the client's patience ends. It holds no
/// connection to the database while it waits, and believes the credential anew each time: who was shut out meanwhile
/// hears nothing.
/// </summary>
internal sealed class LongPoll(
    IEventSignal signal, HttpCaller caller, IAccessTokenReader tokens, IApiKeyReader keys, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private const int LongestWaitSeconds = 30;

    // A busy installation grows its log all the time; no client needs to be asked for more often.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="waitSeconds">As the client asked; none when absent.</param>
    /// <param name="isAnswered">Asks once.</param>
    /// <param name="context">Of the request.</param>
    public async Task UntilAsync(int? waitSeconds, Func<Task<bool>> isAnswered, HttpContext context)
    {
        if (waitSeconds > 0)
        {
            context.WaitsOnPurpose();
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(Math.Clamp(waitSeconds ?? 0, 0, LongestWaitSeconds)), clock);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted, lifetime.ApplicationStopping);
        for (var next = signal.Growth; !await isAnswered() && waitSeconds > 0 && !waiting.IsCancellationRequested; next = signal.Growth)
        {
            await next.WaitAsync(waiting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Pause, clock, waiting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await caller.IdentifyAsync(context, tokens, keys);
        }
    }
}
