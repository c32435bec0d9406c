using System.Globalization;
using Vtp.Infrastructure;

namespace Vtp.Api;

/// <summary>What the operator says on the command line; everything else is configuration.</summary>
/// <param name="Port">Where to listen on localhost, unless ASPNETCORE_URLS says otherwise.</param>
/// <param name="Demo">Adds people to play with.</param>
/// <param name="Reset">Deletes the embedded database first.</param>
/// <param name="Folder">Holds the embedded database and, without a mail server, the mail.</param>
/// <param name="HostArguments">What is left, for the framework's own configuration.</param>
internal sealed record StartOptions(int Port, bool Demo, bool Reset, string Folder, string[] HostArguments)
{
    private const int DefaultPort = 8080;
    private const string PortIs = "--port=";
    private const string InternalPortIs = "--internal-port=";

    /// <summary>appsettings.json lies beside the program, wherever it was started from.</summary>
    public WebApplicationOptions Host => new() { Args = HostArguments, ContentRootPath = AppContext.BaseDirectory };

    public static StartOptions Parse(string[] args)
    {
        var (port, demo, reset, rest) = (DefaultPort, false, false, new List<string>());
        for (var index = 0; index < args.Length; index++)
        {
            switch (args[index])
            {
                case "--demo":
                    demo = true;
                    break;
                case "--reset":
                    reset = true;
                    break;
                case "--port":
                    port = ParsePort(args.ElementAtOrDefault(++index));
                    break;
                case var other when other.StartsWith(PortIs, StringComparison.Ordinal):
                    port = ParsePort(other[PortIs.Length..]);
                    break;
                case "--internal-port":
                    rest.Add($"--Internal:Port={args.ElementAtOrDefault(++index)}");
                    break;
                case var other when other.StartsWith(InternalPortIs, StringComparison.Ordinal):
                    rest.Add($"--Internal:Port={other[InternalPortIs.Length..]}");
                    break;
                case var setting when setting.Contains('=', StringComparison.Ordinal):
                    rest.Add(setting);
                    break;
                default:
                    throw new StartupFault($"{args[index]} is no option: there are --port N, --internal-port N, --demo, --reset, and any setting as --Name=value.");
            }
        }

        return new StartOptions(port, demo, reset, FindFolder(), [.. rest]);
    }

    private static int ParsePort(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535
            ? port
            : throw new StartupFault("--port needs a number from 0 to 65535.");

    /// <summary>VTP_FOLDER; else .vtp in the clone that this was built in; else in the working directory.</summary>
    private static string FindFolder()
    {
        if (Environment.GetEnvironmentVariable("VTP_FOLDER") is { Length: > 0 } chosen)
        {
            return Path.GetFullPath(chosen);
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Vtp.sln")))
            {
                return Path.Combine(folder.FullName, ".vtp");
            }
        }

        return Path.GetFullPath(".vtp");
    }
}
