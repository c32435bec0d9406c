using System.Net;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class SigningKeyTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_new_key_is_published_before_it_signs_and_the_old_one_while_its_tokens_live()
    {
        var admin = await api.RegisterAdministratorAsync();
        var before = await KidsAsync();
        before.Should().ContainSingle();

        var rotated = (await admin.PostAsync("admin/signing-keys/rotate"))["kid"];

        (await KidsAsync()).Should().BeEquivalentTo([rotated, before[0]]);
        Kid((await admin.SignInAgainAsync()).AccessToken).Should().Be(before[0], "it has been published for less than a minute");

        api.Clock.Advance(TimeSpan.FromMinutes(1));
        var person = await api.RegisterAsync();
        Kid(person.AccessToken).Should().Be(rotated);
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);
        (await admin.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK, "nobody is signed out");
    }

    [Fact]
    public async Task A_key_that_left_the_set_checks_nothing_any_more_also_tokens_it_checked_before()
    {
        var person = await api.RegisterAsync();
        (await person.GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK);

        await api.QueryAsync<int>("DELETE FROM signing_keys");

        await VtpApi.UntilAsync(async () => (await person.GetAsync("auth/profile")).Status == HttpStatusCode.Unauthorized, "the key to be gone");
        (await (await person.SignInAgainAsync()).GetAsync("auth/profile")).Status.Should().Be(HttpStatusCode.OK, "a new key is made when there is none");
    }

    [Fact]
    public async Task Private_keys_and_secrets_are_sealed_at_rest()
    {
        var person = await api.RegisterAsync();
        var setup = await person.PostAsync("auth/2fa/setup");
        var secret = Convert.ToHexStringLower(Base32Decode(setup["secret"]));

        (await api.QueryAsync<string>("SELECT encode(secret, 'hex') FROM second_factors WHERE account_id = $1", person.UserId))
            .Should().NotContain(secret);
        (await api.QueryAsync<bool>("SELECT bool_and(substring(private_key FROM 1 FOR 4) = '\\x09f0c9f0') FROM signing_keys")).Should().BeTrue("Data Protection's payloads begin so");
    }

    private async Task<List<string>> KidsAsync() =>
        [.. (await api.GetAsync("/.well-known/jwks.json")).Body.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("kid").GetString()!)];

    private static string Kid(string token) =>
        System.Text.Json.JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[0])).RootElement.GetProperty("kid").GetString()!;

    private static byte[] Base32Decode(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }
}
