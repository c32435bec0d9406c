namespace Vtp.Infrastructure.Email;

/// <summary>Hands a message to whoever carries it on. Returning means that it was accepted.</summary>
internal interface IEmailProvider
{
    /// <exception cref="EmailRejected">Never for this message and recipient. Any other exception: try again later.</exception>
    Task SendAsync(RenderedEmail email, CancellationToken ct);
}
