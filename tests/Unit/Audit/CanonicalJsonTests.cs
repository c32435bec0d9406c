using System.Globalization;
using System.Text;
using System.Text.Json;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

/// <summary>With the examples of RFC 8785 where it has one.</summary>
public sealed class CanonicalJsonTests
{
    [Fact]
    public void The_example_of_section_3_2_4_has_the_bytes_that_are_printed_there()
    {
        var canonical = Canonical("""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """);

        Convert.ToHexStringLower(canonical).Should().Be(
            "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b"
            + "33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d");
    }

    [Fact]
    public void Names_are_sorted_by_code_units_as_in_section_3_2_3()
    {
        var canonical = Canonical("""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
             "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """);

        using var document = JsonDocument.Parse(canonical);
        document.RootElement.EnumerateObject().Select(member => member.Value.GetString()).Should().Equal(
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh");
    }

    [Theory]
    [InlineData("0000000000000000", "0")]
    [InlineData("8000000000000000", "0")]
    [InlineData("0000000000000001", "5e-324")]
    [InlineData("8000000000000001", "-5e-324")]
    [InlineData("7fefffffffffffff", "1.7976931348623157e+308")]
    [InlineData("ffefffffffffffff", "-1.7976931348623157e+308")]
    [InlineData("4340000000000000", "9007199254740992")]
    [InlineData("c340000000000000", "-9007199254740992")]
    [InlineData("4430000000000000", "295147905179352830000")]
    [InlineData("44b52d02c7e14af5", "9.999999999999997e+22")]
    [InlineData("44b52d02c7e14af6", "1e+23")]
    [InlineData("44b52d02c7e14af7", "1.0000000000000001e+23")]
    [InlineData("444b1ae4d6e2ef4e", "999999999999999700000")]
    [InlineData("444b1ae4d6e2ef4f", "999999999999999900000")]
    [InlineData("444b1ae4d6e2ef50", "1e+21")]
    [InlineData("3eb0c6f7a0b5ed8c", "9.999999999999997e-7")]
    [InlineData("3eb0c6f7a0b5ed8d", "0.000001")]
    [InlineData("41b3de4355555553", "333333333.3333332")]
    [InlineData("41b3de4355555554", "333333333.33333325")]
    [InlineData("41b3de4355555555", "333333333.3333333")]
    [InlineData("41b3de4355555556", "333333333.3333334")]
    [InlineData("41b3de4355555557", "333333333.33333343")]
    [InlineData("becbf647612f3696", "-0.0000033333333333333333")]
    [InlineData("43143ff3c1cb0959", "1424953923781206.2")]
    public void Numbers_are_those_of_appendix_B(string bits, string text) =>
        CanonicalJson.Number(BitConverter.UInt64BitsToDouble(ulong.Parse(bits, NumberStyles.HexNumber))).Should().Be(text);

    [Theory]
    [InlineData("7fffffffffffffff")]
    [InlineData("7ff0000000000000")]
    [InlineData("fff0000000000000")]
    public void Appendix_B_has_no_text_for_what_is_no_number(string bits)
    {
        var number = () => CanonicalJson.Number(BitConverter.UInt64BitsToDouble(ulong.Parse(bits, NumberStyles.HexNumber)));

        number.Should().Throw<FormatException>();
    }

    [Theory]
    [InlineData("100", "100")]
    [InlineData("-1", "-1")]
    [InlineData("1e2", "100")]
    [InlineData("123456789012345678", "123456789012345680")]
    [InlineData("100000000000000000000", "100000000000000000000")]
    [InlineData("0.1e-5", "0.000001")]
    [InlineData("12.50", "12.5")]
    [InlineData("\"\\u0000\\b\\f\\u007f\\u2028<>&'/\"", "\"\\u0000\\b\\f\u007f\u2028<>&'/\"")]
    [InlineData(" [ ] ", "[]")]
    [InlineData(" { } ", "{}")]
    [InlineData("[ 1 , [ { \"b\" : 1 , \"a\" : [ ] } ] ]", "[1,[{\"a\":[],\"b\":1}]]")]
    public void Values_have_one_form(string json, string canonical) =>
        Encoding.UTF8.GetString(Canonical(json)).Should().Be(canonical);

    [Theory]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""[{"x":{"a":1,"\u0061":2}}]""")]
    [InlineData("1e400")]
    [InlineData("[-1e400]")]
    [InlineData("""["\ud800"]""")]
    [InlineData("""{"\udc00":1}""")]
    public void What_has_no_single_form_is_refused(string json)
    {
        var canonical = () => Canonical(json);

        canonical.Should().Throw<FormatException>();
    }

    [Fact]
    public void The_canonical_form_of_a_canonical_form_is_itself()
    {
        using var export = SignedExport.New(15);
        foreach (var entry in export.Entries)
        {
            var canonical = Canonical(entry.ToJsonString());
            Canonical(Encoding.UTF8.GetString(canonical)).Should().Equal(canonical);
        }
    }

    [Fact]
    public void An_entry_is_hashed_without_its_hash_and_its_type_and_with_all_else()
    {
        var hash = Hash("""{"type":"entry","hash":"x","a":{"hash":1,"type":2},"sequence":1}""");

        hash.Should().Be(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("""{"a":{"hash":1,"type":2},"sequence":1}"""u8)));
        Hash("""{"sequence":1,"a":{"hash":1,"type":2}}""").Should().Be(hash);
        Hash("""{"sequence":1,"a":{"hash":1}}""").Should().NotBe(hash);

        static string Hash(string json)
        {
            using var document = JsonDocument.Parse(json);
            return AuditChain.HashOf(document.RootElement);
        }
    }

    [Fact]
    public void Times_have_six_digits_and_are_universal() =>
        AuditChain.Timestamp(new DateTimeOffset(2026, 11, 21, 8, 0, 0, TimeSpan.FromHours(2)).AddTicks(1230000)).Should().Be("2026-11-21T06:00:00.123000Z");

    private static byte[] Canonical(string json)
    {
        using var document = JsonDocument.Parse(json);
        return CanonicalJson.Of(document.RootElement);
    }
}
