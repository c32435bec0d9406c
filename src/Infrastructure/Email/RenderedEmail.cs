namespace Vtp.Infrastructure.Email;

/// <summary>A message in its final words, for one recipient.</summary>
/// <param name="Id">Becomes the Message-ID, so every attempt to send must carry the same one.</param>
/// <param name="To">A bare address, without a display name.</param>
internal sealed record RenderedEmail(Guid Id, string To, string Subject, string Html, string Text);
