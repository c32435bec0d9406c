using Vtp.Domain.Identity.Accounts;
using Vtp.Infrastructure.Passwords;

namespace Vtp.Unit.Identity;

public sealed class PasswordPolicyTests
{
    private static readonly PasswordPolicy Policy = new(8, new CommonPasswords());

    [Theory]
    [InlineData("short77", "password.too_short")]
    [InlineData("👩‍🏫👩‍🏫", "password.too_short")]
    [InlineData("password", "password.too_common")]
    [InlineData("PassWord", "password.too_common")]
    [InlineData("qwertyuiop", "password.too_common")]
    [InlineData("noorkhalil", "password.too_personal")]
    [InlineData("Khalil.Noor1", "password.too_personal")]
    [InlineData("noor.k@hillschool", "password.too_personal")]
    public void A_guessable_password_is_refused(string password, string code) => Check(password).Should().Be(code);

    [Theory]
    [InlineData("correct horse battery")]
    [InlineData("zw7-kq9!")]
    [InlineData("        ")]
    [InlineData("كلمة سر طويلة جدا")]
    [InlineData("Noor likes trains 1977")]
    public void Everything_else_is_accepted_without_rules_of_composition(string password) => Check(password).Should().BeNull();

    [Fact]
    public void Length_is_counted_in_characters_up_to_128()
    {
        Check(string.Concat(Enumerable.Repeat("🙂", 128))).Should().BeNull();
        Check(string.Concat(Enumerable.Repeat("🙂", 129))).Should().Be("password.too_long");
    }

    [Fact]
    public void The_list_holds_at_least_three_thousand_passwords_that_are_long_enough_to_be_chosen()
    {
        using var stream = typeof(CommonPasswords).Assembly.GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        var passwords = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);

        passwords.Should().HaveCountGreaterThan(3000).And.OnlyHaveUniqueItems();
        passwords.Should().OnlyContain(password => password.Length >= 8 && !password.Any(char.IsUpper));
    }

    private static string? Check(string password) =>
        Policy.Check(password, "Noor Khalil", EmailAddress.Parse("noor.k@hillschool.example"))?.Code;
}
