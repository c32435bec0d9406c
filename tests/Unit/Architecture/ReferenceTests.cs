using System.Reflection;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Unit.Architecture;

/// <summary>Who may know whom.</summary>
public sealed class ReferenceTests
{
    private static readonly Assembly Domain = typeof(Refusal).Assembly;
    private static readonly Assembly Application = typeof(IVtpDb).Assembly;

    [Fact]
    public void The_domain_references_the_base_class_library_and_nothing_else()
    {
        var references = Names(Domain);
        references.Should().NotBeEmpty();
        references.Should().OnlyContain(name => name.StartsWith("System.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_application_knows_neither_http_nor_a_driver()
    {
        var references = Names(Application);
        references.Should().Contain("Vtp.Domain").And.Contain("MediatR");
        references.Should().NotContain(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || name.StartsWith("Npgsql", StringComparison.Ordinal)
            || name.StartsWith("StackExchange", StringComparison.Ordinal)
            || name == "Vtp.Infrastructure"
            || name == "System.Net.Http");
    }

    [Fact]
    public void Endpoints_see_neither_the_database_nor_entities()
    {
        var endpoints = Source.Files("src/Api/Endpoints");
        endpoints.Should().NotBeEmpty();
        endpoints.Where(file => file.Text.Contains("IVtpDb", StringComparison.Ordinal)
            || file.Text.Contains("DbContext", StringComparison.Ordinal)
            || file.Text.Contains("using Vtp.Infrastructure", StringComparison.Ordinal)).Select(file => file.Path).Should().BeEmpty();
    }

    private static List<string> Names(Assembly assembly) => [.. assembly.GetReferencedAssemblies().Select(reference => reference.Name!)];
}
