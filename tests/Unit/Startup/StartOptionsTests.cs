using System.Runtime.CompilerServices;
using Vtp.Api;
using Vtp.Infrastructure;

namespace Vtp.Unit.Startup;

public sealed class StartOptionsTests
{
    [Theory]
    [InlineData("--internal-port 9464")]
    [InlineData("--internal-port=9464")]
    public void The_internal_port_is_a_setting_like_others(string arguments) =>
        StartOptions.Parse(arguments.Split(' ')).HostArguments.Should().Equal("--Internal:Port=9464");

    [Fact]
    public void Data_lies_beside_the_solution_whatever_folder_it_is_started_from()
    {
        Directory.GetCurrentDirectory().Should().NotBe(Clone());

        StartOptions.Parse([]).Folder.Should().Be(Path.Combine(Clone(), ".vtp"));
    }

    [Fact]
    public void Settings_files_lie_beside_the_program_whatever_folder_it_is_started_from() =>
        StartOptions.Parse([]).Host.ContentRootPath.Should().Be(AppContext.BaseDirectory);

    [Theory]
    [InlineData("--port 9000")]
    [InlineData("--port=9000")]
    public void A_port_can_be_written_in_two_ways(string arguments) =>
        StartOptions.Parse(arguments.Split(' ')).Port.Should().Be(9000);

    [Fact]
    public void Settings_are_left_to_the_framework() =>
        StartOptions.Parse(["--demo", "--PublicUrl=https://vtp.example.com"]).Should()
            .BeEquivalentTo(new { Port = 8080, Demo = true, Reset = false, HostArguments = new[] { "--PublicUrl=https://vtp.example.com" } });

    [Theory]
    [InlineData("--port -1")]
    [InlineData("--port 65536")]
    [InlineData("--port")]
    [InlineData("--demos")]
    [InlineData("serve")]
    public void Anything_else_is_refused(string arguments)
    {
        var parse = () => StartOptions.Parse(arguments.Split(' '));

        parse.Should().Throw<StartupFault>();
    }

    private static string Clone([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(here, "../../../.."));
}
