using System.Net;
using System.Text.Json;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

/// <summary>No answer tells whether an address has an account.</summary>
public sealed class EnumerationTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Theory]
    [InlineData("auth/forgot-password")]
    [InlineData("auth/resend-verification")]
    [InlineData("auth/otp/request")]
    public async Task Asking_for_mail_answers_the_same_for_everybody(string path)
    {
        var known = await api.RegisterAsync();
        var verified = await (await api.RegisterAsync()).VerifyEmailAsync();

        var answers = await Task.WhenAll(
            new[] { known.Email, verified.Email, Intents.NewAddress() }.Select(email => api.PostAsync(path, new { email })));

        answers.Select(Shape).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_address_look_alike()
    {
        var known = await (await api.RegisterAsync()).VerifyEmailAsync();

        var answers = new[]
        {
            await api.SignInAsync(known.Email, "not the password"),
            await api.SignInAsync(Intents.NewAddress(), "not the password"),
            await api.SignInAsync("not even an address", "not the password"),
        };

        answers.Select(Shape).Distinct(StringComparer.Ordinal).Should().ContainSingle();
        answers[0]["message"].Should().Be("Invalid email or password");
    }

    [Fact]
    public async Task A_wrong_mailed_code_and_an_unknown_address_look_alike()
    {
        var known = await api.RegisterAsync();

        var answers = new[]
        {
            await api.PostAsync("auth/otp/verify", new { email = known.Email, code = "123456" }),
            await api.PostAsync("auth/otp/verify", new { email = Intents.NewAddress(), code = "123456" }),
        };

        answers.Select(Shape).Distinct(StringComparer.Ordinal).Should().ContainSingle();
    }

    [Fact]
    public async Task Registering_a_taken_address_answers_like_a_new_one_and_only_the_owner_is_told()
    {
        var owner = await (await api.RegisterAsync()).VerifyEmailAsync();

        var taken = await api.RegisterAsync(owner.Email, "a stranger's own phrase");
        var fresh = await api.RegisterAsync(password: "a stranger's own phrase");

        // Whatever the stranger can do with the one, they can do with the other.
        foreach (var person in new[] { taken, fresh })
        {
            (await person.GetAsync("auth/profile"))["email_verified"].Should().Be("False");
            (await person.SignInAgainAsync()).AccessToken.Should().NotBeEmpty();
            (await api.PostAsync("auth/refresh", new { refresh_token = person.RefreshToken })).Status.Should().Be(HttpStatusCode.OK);
        }

        taken.UserId.Should().NotBe(owner.UserId);
        (await owner.SignInAgainAsync()).AccessToken.Should().NotBeEmpty("the owner's password is untouched");
        await api.MailToAsync(owner.Email, "already");
    }

    [Fact]
    public async Task No_mail_goes_to_an_address_without_an_account()
    {
        var nobody = Intents.NewAddress();
        foreach (var path in new[] { "auth/forgot-password", "auth/resend-verification", "auth/otp/request" })
        {
            await api.PostAsync(path, new { email = nobody });
        }

        await api.MailSettledAsync();
        api.MailCount(nobody).Should().Be(0);
    }

    /// <summary>All that a client can compare: status, headers' names, and the body without its trace id.</summary>
    private static string Shape(Answer answer)
    {
        var body = answer.Body.EnumerateObject().Where(field => field.Name != "trace_id").ToDictionary(field => field.Name, field => field.Value.ToString(), StringComparer.Ordinal);
        return $"{answer.Status} {string.Join(',', answer.Headers.Select(header => header.Key).Order(StringComparer.Ordinal))} {JsonSerializer.Serialize(body)}";
    }
}
