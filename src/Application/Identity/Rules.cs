using FluentValidation;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity;

/// <summary>What fields look like wherever they occur. [0-9] and \z rather than \d and $, which admit more than they say.</summary>
internal static class Rules
{
    public const int MaximumName = 255;

    // Longer than any password that is accepted, so that the policy, which counts characters, has the last word.
    private const int MaximumPasswordLength = 2 * PasswordPolicy.MaximumLength;

    private const string AddressExpected = "Enter a mail address like name@example.org.";

    public static IRuleBuilderOptions<T, string?> IsEmailAddress<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotNull().WithMessage(AddressExpected).Must(text => text is null || EmailAddress.TryParse(text, out _)).WithMessage(AddressExpected);

    /// <summary>A password that was chosen before: any, but not absurd.</summary>
    public static IRuleBuilderOptions<T, string?> IsPassword<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotEmpty().WithMessage("Enter the password.").MaximumLength(MaximumPasswordLength).WithMessage("A password has at most 128 characters.");

    public static IRuleBuilderOptions<T, string?> IsFullName<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(name => name is null || name.Trim().Length > 0).WithMessage("Enter your name.")
            .Must(name => name is null || !name.Any(char.IsControl)).WithMessage("A name has no control characters.")
            .MaximumLength(MaximumName).WithMessage("A name has at most 255 characters.");

    public static IRuleBuilderOptions<T, string?> IsPhone<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Matches(@"^(\+?[0-9][0-9 ()./-]{2,28})?\z").WithMessage("Enter a phone number: digits, spaces and a leading +.");

    public static IRuleBuilderOptions<T, string?> IsLocale<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Matches(@"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}\z").WithMessage("Enter a language tag such as en or ar-SY.");

    public static IRuleBuilderOptions<T, string?> IsSixDigits<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotNull().WithMessage("Enter the six digits.").Matches(@"^[0-9]{6}\z").WithMessage("Enter the six digits.");

    /// <summary>Six digits from the app, or a backup code however it was copied.</summary>
    public static IRuleBuilderOptions<T, string?> IsSecondFactorCode<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotNull().WithMessage("Enter a code.")
            .Matches(@"^([0-9]{6}|[A-Za-z2-7 -]{14,24})\z").WithMessage("Enter the six digits from your app, or a backup code.");

    public static IRuleBuilderOptions<T, string?> IsOneTimeSecret<T>(this IRuleBuilder<T, string?> rule) =>
        rule.NotEmpty().WithMessage("The token is missing.").MaximumLength(200).WithMessage("This is not a token.");
}
