using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Vtp.Api.OpenApi;

/// <summary>The comments on use cases, which the compiler leaves beside their assembly.</summary>
internal static partial class XmlComments
{
    private static readonly Dictionary<string, XElement> Members = Read(typeof(Application.Wiring).Assembly.GetName().Name!);

    public static string? Summary(Type type) => Text(Members.GetValueOrDefault($"T:{type.FullName}")?.Element("summary"));

    public static string? Parameter(Type type, string name) => Text(Members.GetValueOrDefault($"T:{type.FullName}")?
        .Elements("param")
        .FirstOrDefault(parameter => JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Attribute("name")!.Value) == JsonNamingPolicy.SnakeCaseLower.ConvertName(name)));

    private static Dictionary<string, XElement> Read(string assembly) =>
        XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{assembly}.xml"))
            .Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    private static string? Text(XElement? element) => element is null ? null : Whitespace().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    /// <summary>As Markdown, which OpenAPI asks for.</summary>
    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "paramref" } field => $"`{JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Attribute("name")!.Value)}`",
        XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
        XElement other => other.Value,
        _ => "",
    };

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 100)]
    private static partial Regex Whitespace();
}
