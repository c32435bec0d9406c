using System.Net;
using Vtp.Application.Identity;
using Vtp.Domain.Common;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Identity;

public sealed class HashingApi : VtpApi
{
    protected override bool HashesAsShipped => true;
}

public sealed class PasswordHashingTests(HashingApi api) : IClassFixture<HashingApi>
{
    // The published test vectors of crypt_blowfish: password, hash.
    [Theory]
    [InlineData("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("U*U*", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK")]
    [InlineData("U*U*U", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")]
    public async Task An_imported_bcrypt_hash_signs_in_once_and_is_upgraded(string password, string hash)
    {
        var person = await api.RegisterAsync();
        await api.QueryAsync<int>("UPDATE accounts SET password_hash = $2 WHERE id = $1", person.UserId, hash);

        (await api.SignInAsync(person.Email, Intents.GoodPassword)).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await api.SignInAsync(person.Email, password)).Status.Should().Be(HttpStatusCode.OK);
        (await StoredHashAsync(person)).Should().StartWith("$pbkdf2-sha512$i=220000$");
        (await api.SignInAsync(person.Email, password)).Status.Should().Be(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_hash_of_fewer_iterations_is_upgraded_at_sign_in()
    {
        var person = await api.RegisterAsync();
        const string old = "$pbkdf2-sha512$i=1000$AAECAwQFBgcICQoLDA0ODw$";
        var digest = System.Security.Cryptography.Rfc2898DeriveBytes.Pbkdf2(
            "an older password", Enumerable.Range(0, 16).Select(number => (byte)number).ToArray(), 1000, System.Security.Cryptography.HashAlgorithmName.SHA512, 64);
        await api.QueryAsync<int>("UPDATE accounts SET password_hash = $2 WHERE id = $1", person.UserId, old + Convert.ToBase64String(digest).TrimEnd('='));

        (await api.SignInAsync(person.Email, "an older password")).Status.Should().Be(HttpStatusCode.OK);

        (await StoredHashAsync(person)).Should().StartWith("$pbkdf2-sha512$i=220000$");
    }

    [Fact]
    public async Task When_too_many_wait_it_refuses_soon_with_a_time_to_come_back()
    {
        var hasher = api.Service<IPasswordHasher>();

        // A thousand wait for room, the rest is told at once.
        var all = Enumerable.Range(0, 1500).Select(number => hasher.HashAsync($"password {number}", null, CancellationToken.None)).ToList();
        all.Count(hash => hash.IsCompleted).Should().BeGreaterThan(400);
        var results = await Task.WhenAll(all);

        var refused = results.Where(result => result.Refusal is not null).ToList();
        refused.Should().HaveCountGreaterThan(1000).And.HaveCountLessThan(1500);
        refused.Should().OnlyContain(result => result.Refusal!.Kind == RefusalKind.Busy && result.Refusal.RetryAfter >= TimeSpan.FromSeconds(1));

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => api.SignInAsync("flood@school.example", "not the password")));
        var busy = answers.Where(answer => answer.Status == HttpStatusCode.ServiceUnavailable).ToList();
        busy.Should().NotBeEmpty();
        busy.Should().OnlyContain(answer => answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1) && answer.Error == "password.busy");
    }

    private Task<string?> StoredHashAsync(Person person) => api.QueryAsync<string>("SELECT password_hash FROM accounts WHERE id = $1", person.UserId);
}
