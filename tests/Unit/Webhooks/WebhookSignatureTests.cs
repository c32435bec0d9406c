using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Webhooks;

namespace Vtp.Unit.Webhooks;

public sealed class WebhookSignatureTests
{
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string PublicVector = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string PairVector = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1614265330);
    private static readonly byte[] Body = "{\"test\": 2432232314}"u8.ToArray();
    private static readonly Ed25519 Ed25519 = new();

    [Fact]
    public void The_public_vector_of_Standard_Webhooks_comes_out()
    {
        var headers = Headers([Secret(PublicVector)], []);

        headers["webhook-id"].Should().Be(Id);
        headers["webhook-timestamp"].Should().Be("1614265330");
        headers["webhook-signature"].Should().Be("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Fact]
    public void The_public_vector_of_ed25519_comes_out()
    {
        WebhookKeyPair.TryParse(PairVector, Ed25519, out var pair).Should().BeTrue();

        pair!.PublicText.Should().Be("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
        pair.SecretText.Should().Be(PairVector);
        Headers([], [pair])["webhook-signature"].Should()
            .Be("v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==");
    }

    [Theory]
    [InlineData("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    public void The_vectors_of_RFC_8032_come_out(string seed, string publicKey, string message, string signature)
    {
        Convert.ToHexStringLower(Ed25519.PublicKey(Convert.FromHexString(seed))).Should().Be(publicKey);
        Convert.ToHexStringLower(Ed25519.Sign(Convert.FromHexString(seed), Convert.FromHexString(message))).Should().Be(signature);
    }

    [Fact]
    public void While_secrets_overlap_each_of_them_signs_the_newest_first()
    {
        var (old, current) = (WebhookSecret.New(), WebhookSecret.New());
        var pair = WebhookKeyPair.New(Ed25519);

        var signatures = Headers([current, old], [pair])["webhook-signature"].Split(' ');

        signatures.Should().Equal(
            Headers([current], [])["webhook-signature"],
            Headers([old], [])["webhook-signature"],
            Headers([], [pair])["webhook-signature"]);
        signatures.Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void The_body_alone_is_signed_with_the_text_of_the_secret()
    {
        // openssl dgst -sha256 -hmac whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
        WebhookSignature.BodyOnly(Secret(PublicVector), Body).Should().Be(
            new KeyValuePair<string, string>("X-Webhook-Signature", "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_bm90LXZhbGlkCg==")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ")]
    [InlineData("whsec_MfKQ9r8GKYqrTwj UPD8ILPZIo2LaLaSw")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void What_is_no_secret_is_refused(string? text) => WebhookSecret.TryParse(text, out _).Should().BeFalse();

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_secret_has_24_to_64_bytes(int bytes, bool accepted) =>
        WebhookSecret.TryParse("whsec_" + Convert.ToBase64String(new byte[bytes]), out _).Should().Be(accepted);

    [Fact]
    public void Halves_that_do_not_belong_together_are_refused() =>
        WebhookKeyPair.TryParse("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlaaaaaaaaaaAJ6p9lMicMFs6Kvg==", Ed25519, out _)
            .Should().BeFalse();

    [Fact]
    public void New_secrets_differ_and_read_back()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => WebhookSecret.New().Text).ToList();

        secrets.Should().OnlyHaveUniqueItems();
        secrets.Should().OnlyContain(text => Secret(text).Text == text);
    }

    [Fact]
    public void No_secret_is_in_what_is_printed()
    {
        var pair = WebhookKeyPair.New(Ed25519);

        $"{Secret(PublicVector)}".Should().Be("whsec_...");
        $"{pair}".Should().Be(pair.PublicText);
    }

    [Theory]
    [InlineData("")]
    [InlineData("msg.1")]
    public void An_id_that_would_let_two_messages_be_signed_alike_is_refused(string id) =>
        FluentActions.Invoking(() => WebhookSignature.Headers(id, At, Body, [WebhookSecret.New()], [], Ed25519)).Should().Throw<ArgumentException>();

    [Fact]
    public void Nothing_leaves_unsigned() =>
        FluentActions.Invoking(() => Headers([], [])).Should().Throw<ArgumentException>();

    private static WebhookSecret Secret(string text) =>
        WebhookSecret.TryParse(text, out var secret) ? secret : throw new FormatException(text);

    private static Dictionary<string, string> Headers(WebhookSecret[] secrets, WebhookKeyPair[] pairs) =>
        WebhookSignature.Headers(Id, At, Body, secrets, pairs, Ed25519).ToDictionary(StringComparer.Ordinal);
}
