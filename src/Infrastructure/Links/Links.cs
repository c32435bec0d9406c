using Vtp.Application.Identity;

namespace Vtp.Infrastructure.Links;

/// <summary>
/// Section <c>Links</c>: where mails send people. The defaults are VTP's own small pages; a product sets its front end's.
/// </summary>
internal sealed class LinkOptions
{
    /// <summary><c>{token}</c> stands for the token.</summary>
    public string VerifyEmail { get; set; } = "/verify-email?token={token}";

    public string ResetPassword { get; set; } = "/reset-password?token={token}";

    public string ForgotPassword { get; set; } = "/forgot-password";

    public string AcceptInvitation { get; set; } = "/accept-invitation?token={token}";
}

/// <param name="publicUrl">Asked each time: until the server listens, not even its port need be known.</param>
internal sealed class ConfiguredLinks(LinkOptions options, Func<Uri> publicUrl) : ILinks
{
    public string ForgotPassword => Absolute(options.ForgotPassword);

    public string VerifyEmail(string token) => Absolute(WithToken(options.VerifyEmail, token));

    public string ResetPassword(string token) => Absolute(WithToken(options.ResetPassword, token));

    public string AcceptInvitation(string token) => Absolute(WithToken(options.AcceptInvitation, token));

    public string Invitations => Absolute(options.AcceptInvitation.Split('?')[0].Replace("{token}", "", StringComparison.Ordinal));

    public string Setup(string token) => Absolute(WithToken("/setup?token={token}", token));

    private static string WithToken(string template, string token) =>
        template.Replace("{token}", Uri.EscapeDataString(token), StringComparison.Ordinal);

    private string Absolute(string link) => new Uri(publicUrl(), link).AbsoluteUri;
}
