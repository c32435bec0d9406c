using System.Net;
using Vtp.Domain.Webhooks;

namespace Vtp.Unit.Webhooks;

public sealed class WebhookUrlTests
{
    private static readonly WebhookUrlRules Strict = new(AllowHttp: false, []);

    [Theory]
    [InlineData("https://example.com/hooks?a=b", "https://example.com/hooks?a=b")]
    [InlineData("HTTPS://Example.COM", "https://example.com/")]
    [InlineData("https://example.com:8443/", "https://example.com:8443/")]
    [InlineData("https://example.com:443/", "https://example.com/")]
    [InlineData("https://bücher.example/", "https://xn--bcher-kva.example/")]
    [InlineData("https://1.1.1.1/", "https://1.1.1.1/")]
    [InlineData("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/")]
    [InlineData("https://a_b.example.com./", "https://a_b.example.com./")]
    public void An_address_of_the_internet_is_accepted(string text, string read)
    {
        Strict.Read(text).TryGet(out var url, out var refusal).Should().BeTrue(refusal?.Code);
        new UriBuilder(url!) { Host = url!.IdnHost }.Uri.AbsoluteUri.Should().Be(read);
    }

    [Theory]
    [InlineData(null, "webhook.url_malformed")]
    [InlineData("", "webhook.url_malformed")]
    [InlineData("example.com", "webhook.url_malformed")]
    [InlineData("/hooks", "webhook.url_scheme")]
    [InlineData("https://", "webhook.url_malformed")]
    [InlineData(" https://example.com/", "webhook.url_malformed")]
    [InlineData("https://example.com/a b", "webhook.url_malformed")]
    [InlineData("https://example.com/\r\nHost: other", "webhook.url_malformed")]
    [InlineData("https://example.com\\@127.0.0.1/", "webhook.url_malformed")]
    [InlineData("https://user@example.com/", "webhook.url_malformed")]
    [InlineData("https://user:password@example.com/", "webhook.url_malformed")]
    [InlineData("https://example.com/#part", "webhook.url_malformed")]
    [InlineData("http://example.com/", "webhook.url_scheme")]
    [InlineData("ftp://example.com/", "webhook.url_scheme")]
    [InlineData("file:///etc/passwd", "webhook.url_scheme")]
    [InlineData("gopher://example.com/", "webhook.url_scheme")]
    [InlineData("https://example.com:0/", "webhook.url_port")]
    [InlineData("https://example.com:22/", "webhook.url_port")]
    [InlineData("https://example.com:25/", "webhook.url_port")]
    [InlineData("https://example.com:80/", "webhook.url_port")]
    [InlineData("https://127.0.0.1/", "webhook.url_forbidden")]
    [InlineData("https://127.0.0.1./", "webhook.url_forbidden")]
    [InlineData("https://2130706433/", "webhook.url_forbidden")]
    [InlineData("https://0x7f000001/", "webhook.url_forbidden")]
    [InlineData("https://0x7f.1/", "webhook.url_forbidden")]
    [InlineData("https://0177.0.0.1/", "webhook.url_forbidden")]
    [InlineData("https://017700000001/", "webhook.url_forbidden")]
    [InlineData("https://127.1/", "webhook.url_forbidden")]
    [InlineData("https://１２７.0.0.1/", "webhook.url_malformed")]
    [InlineData("https://169.254.169.254/latest/meta-data", "webhook.url_forbidden")]
    [InlineData("https://[::1]/", "webhook.url_forbidden")]
    [InlineData("https://[::ffff:127.0.0.1]/", "webhook.url_forbidden")]
    [InlineData("https://[::ffff:7f00:1]/", "webhook.url_forbidden")]
    [InlineData("https://[fe80::1%25eth0]/", "webhook.url_forbidden")]
    [InlineData("https://999.1.1.1/", "webhook.url_malformed")]
    [InlineData("https://127.0.0.1.256/", "webhook.url_malformed")]
    [InlineData("https://example.0x7f/", "webhook.url_malformed")]
    [InlineData("https://127%2e0%2e0%2e1/", "")]
    [InlineData("https://exa$mple.com/", "")]
    public void Any_other_is_refused(string? text, string code)
    {
        var refusal = Strict.Read(text).Refusal;

        refusal.Should().NotBeNull();
        if (code.Length > 0)
        {
            refusal!.Code.Should().Be(code);
        }
    }

    [Fact]
    public void It_is_at_most_2048_characters_long()
    {
        Strict.Read("https://example.com/" + new string('a', 2028)).Refusal.Should().BeNull();
        Strict.Read("https://example.com/" + new string('a', 2029)).Refusal.Should().NotBeNull();
        Strict.Read("https://example.com/" + new string('ü', 1000)).Refusal.Should().NotBeNull("it is six times as long when it is sent");
    }

    [Fact]
    public void The_operator_may_allow_http_and_networks_of_their_own()
    {
        var rules = new WebhookUrlRules(AllowHttp: true, [IPNetwork.Parse("127.0.0.0/8")]);

        rules.Read("http://127.0.0.1:8080/").Refusal.Should().BeNull();
        rules.Read("http://example.com/").Refusal.Should().BeNull();
        rules.Read("http://10.0.0.1/").Refusal!.Code.Should().Be("webhook.url_forbidden");
        rules.Read("ftp://127.0.0.1/").Refusal!.Code.Should().Be("webhook.url_scheme");
    }
}
