namespace Vtp.Integration.Startup;

internal static class Refusal
{
    /// <summary>The one sentence with which a server that cannot start ends, and which is all that it says.</summary>
    public static async Task<string> OfAsync(
        VtpFolder folder, string[]? arguments = null, (string Name, string Value)[]? environment = null, string[]? within = null)
    {
        await using var server = RealServer.Start(folder, arguments, environment, within);
        var exit = await server.ExitAsync();

        exit.Should().Be(1, server.Errors);
        server.Output.Should().NotContain("   at ").And.NotContain("Exception");
        server.Errors.Should().NotContain("   at ").And.NotContain("Exception").And.EndWith(".\n");
        var sentence = server.Errors.TrimEnd('\n');
        sentence.Should().NotContain("\n");
        return sentence;
    }
}
