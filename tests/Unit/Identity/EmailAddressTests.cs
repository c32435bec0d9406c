using FsCheck;
using FsCheck.Fluent;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Unit.Identity;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("a@b.example", "a@b.example")]
    [InlineData("  Noor.K+tag@School.Example ", "noor.k+tag@school.example")]
    [InlineData("o'brien@school.example", "o'brien@school.example")]
    [InlineData("noor@مدرسة.example", "noor@xn--ogblgi1g.example")]
    public void An_address_has_one_spelling(string text, string spelling) => EmailAddress.Parse(text).Value.Should().Be(spelling);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@b.example")]
    [InlineData("a@")]
    [InlineData("a@b")]
    [InlineData("a b@c.example")]
    [InlineData("a@b@c.example")]
    [InlineData("a@b..example")]
    [InlineData("a@-b.example")]
    [InlineData("a@b.example\r\nBcc: x@y.example")]
    [InlineData("<a@b.example>")]
    [InlineData("a,c@b.example")]
    [InlineData("a\0@b.example")]
    public void What_is_not_an_address_is_refused(string? text) => EmailAddress.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void No_text_makes_it_throw_and_what_it_accepts_it_accepts_again() =>
        Prop.ForAll<string>(text => !EmailAddress.TryParse(text, out var once)
            || (EmailAddress.TryParse(once.Value, out var twice) && once == twice)).QuickCheckThrowOnFailure();

    [Fact]
    public void An_absurd_length_is_refused() => EmailAddress.TryParse($"{new string('a', 300)}@b.example", out _).Should().BeFalse();
}
