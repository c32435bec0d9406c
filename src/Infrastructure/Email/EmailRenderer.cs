using System.Collections.Concurrent;
using System.Globalization;
using HandlebarsDotNet;
using HandlebarsDotNet.Compiler;

namespace Vtp.Infrastructure.Email;

/// <summary>
/// Turns a template and its values into a message. A template is two embedded files: <c>{template}.html.hbs</c>, which is
/// put into the layout, and <c>{template}.text.hbs</c>, whose first line is <c>Subject: ...</c>.
/// </summary>
internal sealed class EmailRenderer
{
    private const string SubjectMark = "Subject: ";

    private readonly IHandlebars _html = Engine(escaping: true);
    private readonly IHandlebars _text = Engine(escaping: false);
    private readonly ConcurrentDictionary<string, Lazy<Template>> _templates = new(StringComparer.Ordinal);
    private readonly HandlebarsTemplate<object, object> _layout;

    public EmailRenderer()
    {
        _html.RegisterTemplate("button", Source("button.html"));
        _layout = _html.Compile(Source("layout.html"));
    }

    /// <exception cref="HandlebarsUndefinedBindingException">The template names a value that the model does not have.</exception>
    public RenderedEmail Render(Guid id, string to, string template, IReadOnlyDictionary<string, object?> model)
    {
        var (subject, htmlBody, textBody) = _templates.GetOrAdd(template, name => new Lazy<Template>(() => Compile(name))).Value;
        var values = model.ToDictionary(entry => entry.Key, entry => OnOneLine(entry.Key, entry.Value), StringComparer.Ordinal);

        var title = subject(values);
        return new RenderedEmail(id, to, title, _layout(new { title, content = htmlBody(values) }), textBody(values));
    }

    private static IHandlebars Engine(bool escaping) => Handlebars.Create(new HandlebarsConfiguration
    {
        NoEscape = !escaping,
        ThrowOnUnresolvedBindingExpression = true,
        FormatProvider = CultureInfo.InvariantCulture,
    });

    private Template Compile(string name)
    {
        var lines = Source($"{name}.text").Split('\n', 2);
        return lines is [var first, var body] && first.StartsWith(SubjectMark, StringComparison.Ordinal)
            ? new Template(
                Subject: _text.Compile(first[SubjectMark.Length..]),
                Html: _html.Compile(Source($"{name}.html")),
                Text: _text.Compile(body.TrimStart('\n')))
            : throw new InvalidOperationException($"The template '{name}.text.hbs' does not begin with '{SubjectMark}...'.");
    }

    private static string Source(string name)
    {
        using var resource = typeof(EmailRenderer).Assembly.GetManifestResourceStream($"email/{name}.hbs")
            ?? throw new ArgumentException($"There is no email template '{name}.hbs'.", nameof(name));
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    // A person's name is a stranger's text in somebody else's inbox: it must not add paragraphs of its own to ours.
    // Handlebars would print nothing for a null, so it counts as missing.
    private static object OnOneLine(string key, object? value) => value switch
    {
        null => throw new ArgumentException($"The email's value '{key}' is null.", nameof(value)),
        string words => string.Concat(words.Select(character => IsLineBreak(character) ? ' ' : character)),
        _ => value,
    };

    private static bool IsLineBreak(char character) => char.IsControl(character) || character is '\u2028' or '\u2029';

    private sealed record Template(
        HandlebarsTemplate<object, object> Subject,
        HandlebarsTemplate<object, object> Html,
        HandlebarsTemplate<object, object> Text);
}
