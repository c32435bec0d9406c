using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>The pages that mails lead to.</summary>
public sealed class MailPageTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_mail_scanner_that_follows_the_link_does_not_verify_the_address()
    {
        var person = await api.RegisterAsync();
        var token = await api.TokenFromMailAsync(person.Email, "Confirm");
        for (var scan = 0; scan < 3; scan++)
        {
            await api.SendAsync(HttpMethod.Head, $"/verify-email?token={token}");
            (await api.GetAsync($"/verify-email?token={token}")).Text.Should().Contain($"value=\"{token}\"");
        }

        (await person.HasVerifiedEmailAsync()).Should().BeFalse();

        (await api.PostFormAsync("/verify-email", ("token", token))).Status.Should().Be(HttpStatusCode.OK);
        (await person.HasVerifiedEmailAsync()).Should().BeTrue();

        var again = await api.PostFormAsync("/verify-email", ("token", token));
        again.Status.Should().Be(HttpStatusCode.BadRequest);
        again.Text.Should().Contain("expired or was used").And.Contain("href=\"/resend-verification\"");
    }

    [Fact]
    public async Task An_expired_verification_link_leads_to_a_new_one()
    {
        var person = await api.RegisterAsync();
        var expired = await api.TokenFromMailAsync(person.Email, "Confirm");
        api.Clock.Advance(TimeSpan.FromDays(8));

        var dead = await api.PostFormAsync("/verify-email", ("token", expired));
        dead.Status.Should().Be(HttpStatusCode.BadRequest);
        dead.Text.Should().Contain("href=\"/resend-verification\"");

        (await api.PostFormAsync("/resend-verification", ("email", person.Email))).Status.Should().Be(HttpStatusCode.OK);
        var token = await api.TokenFromMailAsync(person.Email, "Confirm", atLeast: 2);
        (await api.PostFormAsync("/verify-email", ("token", token))).Status.Should().Be(HttpStatusCode.OK);
        (await (await person.SignInAgainAsync()).HasVerifiedEmailAsync()).Should().BeTrue();
    }

    [Fact]
    public async Task A_verification_link_for_an_address_that_another_account_owns_is_no_use_and_says_so()
    {
        var late = await api.RegisterAsync();
        var token = await api.TokenFromMailAsync(late.Email, "Confirm");
        var owner = Guid.NewGuid();
        await api.QueryAsync<int>(
            """
            INSERT INTO accounts (id, email, full_name, locale, role, email_verified_at, created_at, updated_at)
            SELECT $1, email, full_name, locale, role, now(), created_at, updated_at FROM accounts WHERE id = $2
            """,
            owner,
            late.UserId);

        var page = await api.PostFormAsync("/verify-email", ("token", token));

        page.Status.Should().Be(HttpStatusCode.Conflict);
        page.Text.Should().Contain("Another account owns this address").And.NotContain("/resend-verification");
    }

    [Fact]
    public async Task Looking_at_a_reset_link_does_not_use_it_up_and_it_sets_one_password()
    {
        var person = await api.RegisterAsync();
        var token = await person.ResetTokenAsync();
        for (var look = 0; look < 3; look++)
        {
            var form = await api.GetAsync($"/reset-password?token={token}");
            form.Status.Should().Be(HttpStatusCode.OK);
            form.Text.Should().Contain(person.Email).And.Contain("autocomplete=\"new-password\"");
        }

        var set = await api.PostFormAsync("/reset-password", ("token", token), ("new_password", "quiet river stone"));
        set.Status.Should().Be(HttpStatusCode.OK, set.Text);
        (await api.SignInAsync(person.Email, person.Password)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, "quiet river stone")).Status.Should().Be(HttpStatusCode.OK);

        var again = await api.PostFormAsync("/reset-password", ("token", token), ("new_password", "another quiet river"));
        again.Status.Should().Be(HttpStatusCode.Unauthorized);
        again.Text.Should().Contain("href=\"/forgot-password\"").And.NotContain("<form");
        (await api.SignInAsync(person.Email, "another quiet river")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_password_that_is_refused_leaves_the_reset_link_alone()
    {
        var person = await api.RegisterAsync();
        var token = await person.ResetTokenAsync();

        foreach (var refused in new[] { "", "short", "password123", person.Email })
        {
            var page = await api.PostFormAsync("/reset-password", ("token", token), ("new_password", refused));
            page.Status.Should().Be(HttpStatusCode.BadRequest);
            page.Text.Should().Contain("id=\"new_password-error\"").And.Contain("aria-invalid=\"true\"").And.Contain($"value=\"{token}\"");
            page.Text.Should().NotContain("value=\"short\"").And.NotContain("password123");
        }

        (await api.PostFormAsync("/reset-password", ("token", token), ("new_password", "quiet river stone"))).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_reset_form_sent_eight_times_at_once_sets_one_password()
    {
        var person = await api.RegisterAsync();
        var token = await person.ResetTokenAsync();

        var pages = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(index => api.PostFormAsync("/reset-password", ("token", token), ("new_password", $"quiet river stone {index}"))));

        pages.Where(page => page.Status == HttpStatusCode.OK).Should().ContainSingle();
        pages.Where(page => page.Status != HttpStatusCode.OK).Should().OnlyContain(page => page.Status == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_expired_reset_link_says_so_before_a_password_is_chosen()
    {
        var token = await (await api.RegisterAsync()).ResetTokenAsync();
        api.Clock.Advance(TimeSpan.FromDays(2));

        var page = await api.GetAsync($"/reset-password?token={token}");

        page.Status.Should().Be(HttpStatusCode.Unauthorized);
        page.Text.Should().Contain("href=\"/forgot-password\"").And.NotContain("<form");
    }

    [Theory]
    [InlineData("/forgot-password")]
    [InlineData("/resend-verification")]
    public async Task Asking_for_a_mail_tells_nothing_about_who_has_an_account(string path)
    {
        var person = await api.RegisterAsync();
        var stranger = Intents.NewAddress();

        var known = await api.PostFormAsync(path, ("email", person.Email));
        var unknown = await api.PostFormAsync(path, ("email", stranger));

        known.Status.Should().Be(HttpStatusCode.OK);
        unknown.Status.Should().Be(HttpStatusCode.OK);
        known.Text.Should().Be(unknown.Text);
        await api.MailSettledAsync();
        api.MailCount(person.Email).Should().BeGreaterThan(1);
        api.MailCount(stranger).Should().Be(0);

        var malformed = await api.PostFormAsync(path, ("email", "nobody"));
        malformed.Status.Should().Be(HttpStatusCode.BadRequest);
        malformed.Text.Should().Contain("id=\"email-error\"").And.Contain("value=\"nobody\"");
    }
}

/// <summary>The pages spend the same budgets as the JSON API.</summary>
public sealed class PageLimitTests(LimitedApi api) : IClassFixture<LimitedApi>
{
    [Fact]
    public async Task Who_asks_for_mail_too_often_is_told_on_the_page_when_to_come_back()
    {
        var email = Intents.NewAddress();
        Answer page;
        var sent = 0;
        do
        {
            page = await api.PostFormAsync("/forgot-password", ("email", email));
        }
        while (page.Status == HttpStatusCode.OK && ++sent < 20);

        page.Status.Should().Be(HttpStatusCode.TooManyRequests);
        sent.Should().BePositive();
        page.Headers.RetryAfter!.Delta.Should().BePositive();
        page.Headers.CacheControl!.NoStore.Should().BeTrue();
        page.Text.Should().Contain("Try again in").And.Contain("<form").And.Contain($"value=\"{email}\"");
        (await api.PostAsync("auth/forgot-password", new { email })).Status.Should().Be(HttpStatusCode.TooManyRequests, "it is one budget");
    }

    [Fact]
    public async Task Guessing_tokens_on_a_page_is_limited()
    {
        Answer page;
        var tries = 0;
        do
        {
            page = await api.GetAsync("/reset-password?token=guess");
        }
        while (page.Status == HttpStatusCode.Unauthorized && ++tries < 200);

        page.Status.Should().Be(HttpStatusCode.TooManyRequests);
        page.Headers.RetryAfter.Should().NotBeNull();
        page.Text.Should().NotContain("href=\"/forgot-password\"");
    }
}

public sealed class LimitedApi : VtpApi
{
    protected override bool WithoutLimits => false;
}
