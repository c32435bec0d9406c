using System.Text;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Unit.Identity;

public sealed class TotpTests
{
    // RFC 6238 appendix B, SHA-1, cut to the six digits that apps show.
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Codes_are_those_of_rfc_6238_appendix_b(long unixSeconds, string code) =>
        Totp.Code(Secret, Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(unixSeconds))).Should().Be(code);

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_code_is_found_one_step_early_or_late_and_no_further(int steps, bool found)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        var step = Totp.StepAt(now) + steps;

        Totp.FindStep(Secret, Totp.Code(Secret, step), now).Should().Be(found ? step : null);
    }

    [Fact]
    public void The_uri_is_what_authenticator_apps_read() =>
        Totp.Uri(Secret, "VTP Platform", "a+b@school.example").Should().Be(
            "otpauth://totp/VTP%20Platform:a%2Bb%40school.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            + "&issuer=VTP%20Platform&algorithm=SHA1&digits=6&period=30");

    // RFC 4648 section 10, without the padding.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_that_of_rfc_4648(string text, string encoded) => Base32.Encode(Encoding.ASCII.GetBytes(text)).Should().Be(encoded);
}
