using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.TwoFactor;

namespace Vtp.Unit.Identity;

public sealed class SecondFactorTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private readonly SecondFactor _factor = SecondFactor.SetUp(AccountId.New(Now));

    [Fact]
    public void A_code_from_the_pending_secret_turns_it_on_and_yields_eight_distinct_backup_codes()
    {
        var sheet = Enable();

        _factor.IsOn.Should().BeTrue();
        sheet.Codes.Should().HaveCount(8).And.OnlyHaveUniqueItems();
        sheet.Codes.Should().OnlyContain(code => code.Length == 16);
    }

    [Fact]
    public void Set_up_does_not_replace_a_secret_that_is_on()
    {
        Enable();

        _factor.SetUpAgain().Refusal.Should().BeSameAs(TwoFactorRefusals.AlreadyOn);
        _factor.Enable(CodeAt(1), Now.AddSeconds(30)).Refusal.Should().BeSameAs(TwoFactorRefusals.AlreadyOn);
    }

    [Fact]
    public void A_step_that_was_used_and_every_older_one_is_refused()
    {
        Enable();

        _factor.Verify(CodeAt(1), Now.AddSeconds(30)).Refusal.Should().BeNull();
        _factor.Verify(CodeAt(1), Now.AddSeconds(30)).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);
        _factor.Verify(CodeAt(0), Now.AddSeconds(30)).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);
    }

    [Fact]
    public void A_backup_code_works_once_however_it_is_typed()
    {
        var code = Enable().Codes[3];

        _factor.Verify($" {code.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal)} ", Now).Refusal.Should().BeNull();
        _factor.BackupCodeHashes.Should().HaveCount(7);
        _factor.Verify(code, Now).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);
    }

    [Fact]
    public void A_backup_code_does_not_turn_it_on() =>
        _factor.Enable("ABCDE-FGHIJ-KLMN", Now).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);

    [Fact]
    public void Ten_wrong_codes_lock_it_for_a_quarter_of_an_hour_and_a_right_one_resets_the_count()
    {
        Enable();
        for (var attempt = 0; attempt < SecondFactor.MaximumFailures - 1; attempt++)
        {
            _factor.Verify("000000", Now).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);
        }

        _factor.Verify(CodeAt(1), Now).Refusal.Should().BeNull();
        for (var attempt = 0; attempt < SecondFactor.MaximumFailures - 1; attempt++)
        {
            _factor.Verify("000000", Now).Refusal.Should().BeSameAs(TwoFactorRefusals.CodeRejected);
        }

        _factor.Verify("000000", Now).Refusal!.RetryAfter.Should().Be(SecondFactor.LockTime);
        _factor.Verify(CodeAt(2), Now.AddMinutes(14)).Refusal!.RetryAfter.Should().Be(TimeSpan.FromMinutes(1));
        _factor.Verify(Totp.Code(_factor.Secret, Totp.StepAt(Now.AddMinutes(15))), Now.AddMinutes(15)).Refusal.Should().BeNull();
    }

    private BackupCodes Enable()
    {
        _factor.Enable(CodeAt(0), Now).TryGet(out var sheet, out _).Should().BeTrue();
        return sheet!;
    }

    private string CodeAt(int steps) => Totp.Code(_factor.Secret, Totp.StepAt(Now) + steps);
}
