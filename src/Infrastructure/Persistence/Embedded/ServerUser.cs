namespace Vtp.Infrastructure.Persistence.Embedded;

/// <summary>
/// The system user that runs the server: VTP's own, or <c>postgres</c> when VTP is root, as which PostgreSQL refuses to run.
/// </summary>
internal static class ServerUser
{
    private static readonly string[] Switch =
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : [];

    private static readonly string[] Owner = Environment.IsPrivilegedProcess ? ["-o", "postgres", "-g", "postgres"] : [];

    public static string[] Command(params ReadOnlySpan<string> words) => [.. Switch, .. words];

    public static async Task<bool> CanEnterAsync(string folder, CancellationToken ct)
    {
        if ((await Embedded.Command.RunAsync(Command("test", "-x", folder), ct)).Succeeded)
        {
            return true;
        }

        // Everyone may enter the root folder, so that a second no is about the user.
        var (exists, output) = await Embedded.Command.RunAsync(Command("test", "-x", "/"), ct);
        return exists ? false : throw ServerLog.Fault(
            "PostgreSQL does not run as root, and VTP cannot run it as the system user postgres", output, folder);
    }

    /// <summary>A folder that the server's user may pass through but not change.</summary>
    public static Task MakePassageAsync(string folder, CancellationToken ct) =>
        InstallAsync(["-d", "-m", "0711", folder], ct);

    public static Task MakePrivateFolderAsync(string folder, CancellationToken ct) =>
        InstallAsync(["-d", "-m", "0700", .. Owner, folder], ct);

    public static Task CopyPrivatelyAsync(string file, string copy, CancellationToken ct) =>
        InstallAsync(["-m", "0400", .. Owner, file, copy], ct);

    private static async Task InstallAsync(string[] words, CancellationToken ct)
    {
        var (succeeded, output) = await Embedded.Command.RunAsync(["install", .. words], ct);
        if (!succeeded)
        {
            throw ServerLog.Fault("VTP cannot make room for PostgreSQL", output, words[^1]);
        }
    }
}
