using System.Net;
using HandlebarsDotNet.Compiler;
using Vtp.Infrastructure.Email;

namespace Vtp.Unit.Notifications;

public sealed class EmailRendererTests
{
    private const string Link = "https://vtp.example/reset?token=a-b_c&next=%2Fhome";

    private readonly EmailRenderer renderer = new();

    public static TheoryData<string, string[]> Templates => new()
    {
        { "verify-email", ["name", "link", "hours"] },
        { "address-taken", ["name", "reset_link"] },
        { "password-reset", ["name", "link", "hours", "ip_address"] },
        { "export-ready", ["name", "what", "days"] },
        { "sign-in-code", ["name", "code", "minutes"] },
        { "password-changed", ["name", "time", "ip_address", "reset_link"] },
        { "two-factor-changed", ["name", "what", "time", "ip_address"] },
        { "invitation", ["name", "organization", "inviter", "role", "link", "days"] },
        { "webhook-failing", ["project", "url", "since"] },
        { "webhook-disabled", ["project", "url", "reason"] },
    };

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_template_says_all_of_its_values_in_html_and_in_text(string template, string[] values)
    {
        var email = Render(template, Model(values));

        email.Subject.Should().NotBeNullOrWhiteSpace().And.NotContainAny("{", "\n");
        foreach (var value in values.Select(name => Value(name).ToString()))
        {
            email.Text.Should().Contain(value);
            WebUtility.HtmlDecode(email.Html).Should().Contain(value);
        }
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_missing_value_fails_instead_of_leaving_a_gap(string template, string[] values)
    {
        foreach (var missing in values)
        {
            var render = () => Render(template, Model(values.Where(name => name != missing)));

            render.Should().Throw<HandlebarsUndefinedBindingException>().WithMessage($"*{missing}*");
        }
    }

    [Fact]
    public void No_template_escapes_these_tests()
    {
        var embedded = typeof(EmailRenderer).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".text.hbs", StringComparison.Ordinal))
            .Select(name => name["email/".Length..^".text.hbs".Length]);

        embedded.Should().BeEquivalentTo(Templates.Select(row => (string)row[0]));
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_page_is_complete_accessible_and_fetches_nothing(string template, string[] values)
    {
        var html = Render(template, Model(values)).Html;

        html.Should().StartWith("<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">").And.EndWith("</html>\n");
        html.Should().NotContainAny("<img", "<link", "<script", "src=", "url(", "@import");
        html.Split("<table").Skip(1).Should().NotBeEmpty().And.OnlyContain(table => table.StartsWith(" role=\"presentation\""));
    }

    [Fact]
    public void A_name_with_markup_is_escaped_in_html_and_left_alone_in_text()
    {
        const string name = "<script>alert('1')</script> & \"Zoë\" {{code}}";

        var email = Render("sign-in-code", ("name", name), ("code", "123456"), ("minutes", 10));

        email.Text.Should().Contain($"Hi {name},");
        email.Html.Should().Contain("<bdi>&lt;script&gt;").And.NotContain("<script");
        WebUtility.HtmlDecode(email.Html).Should().Contain(name);
    }

    [Fact]
    public void A_link_cannot_leave_its_attribute()
    {
        var email = Render("verify-email", ("name", "Ada"), ("link", "https://x/\"onclick=\"evil()"), ("hours", 24));

        email.Html.Should().NotContain("\"onclick");
    }

    [Theory]
    [InlineData("Ada\r\n\r\nYou have won: https://evil.example")]
    [InlineData("Ada\u2028\u2029You have won: https://evil.example")]
    public void A_name_cannot_add_paragraphs_of_its_own(string name)
    {
        var email = Render("sign-in-code", ("name", name), ("code", "123456"), ("minutes", 10));

        email.Text.Split('\n')[0].Should().MatchRegex("^Hi Ada +You have won: https://evil.example,$");
    }

    [Fact]
    public void Null_counts_as_missing()
    {
        var render = () => Render("address-taken", ("name", null), ("reset_link", Link));

        render.Should().Throw<ArgumentException>().WithMessage("*'name'*");
    }

    [Fact]
    public void A_template_that_nobody_wrote_is_named_in_the_failure()
    {
        var render = () => Render("good-morning");

        render.Should().Throw<ArgumentException>().WithMessage("*good-morning*");
    }

    [Fact]
    public void Many_threads_that_ask_first_all_get_their_own_values()
    {
        var emails = Enumerable.Range(100_000, 200).AsParallel().WithDegreeOfParallelism(16).Select(code =>
            (code, email: Render("sign-in-code", ("name", "Ada"), ("code", code), ("minutes", 10))));

        emails.Should().OnlyContain(sent =>
            sent.email.Text.Contains($"\n{sent.code}\n") && sent.email.Html.Contains($">{sent.code}<"));
    }

    private RenderedEmail Render(string template, params (string Name, object? Value)[] model) =>
        renderer.Render(
            Guid.NewGuid(),
            "ada@example.com",
            template,
            model.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal));

    private static (string Name, object? Value)[] Model(IEnumerable<string> names) =>
        [.. names.Select(name => (name, (object?)Value(name)))];

    private static object Value(string name) => name switch
    {
        "link" or "reset_link" => Link,
        "hours" or "minutes" => 17,
        "ip_address" => "2001:db8::7",
        "time" => "3 May 2031, 14:05 UTC",
        _ => $"a value for {name}",
    };
}
