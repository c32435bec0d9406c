using System.Net;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Identity.Administration;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Console;

/// <summary>What a person without a program does: open a page, send its form.</summary>
internal static class PageIntents
{
    public static async Task<Answer> PostFormAsync(this VtpApi api, string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var response = await api.Http.PostAsync(new Uri(path, UriKind.Relative), form);
        return new Answer(response.StatusCode, default, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers);
    }

    public static Task<Answer> SubmitSetupAsync(
        this VtpApi api, string token, string email, string fullName = "Noor Example", string password = Intents.GoodPassword) =>
        api.PostFormAsync("/setup", ("token", token), ("full_name", fullName), ("email", email), ("password", password));

    /// <summary>The link that the server prints at its start, as a path of this server.</summary>
    public static async Task<string> SetupLinkAsync(this VtpApi api)
    {
        // Another test of the class may have set this installation up already.
        await api.QueryAsync<int>("UPDATE accounts SET role = 'student' WHERE role = 'admin'");
        await using var scope = api.Service<IServiceScopeFactory>().CreateAsyncScope();
        var offer = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new OfferSetupCommand());
        offer.TryGet(out var answer, out _).Should().BeTrue();
        return new Uri(answer!.Link!).PathAndQuery;
    }

    public static string TokenOf(string link) => link[(link.IndexOf("token=", StringComparison.Ordinal) + "token=".Length)..];

    public static async Task<string> SetupTokenAsync(this VtpApi api) => TokenOf(await api.SetupLinkAsync());

    public static async Task<string> ResetTokenAsync(this Person person, int mails = 1)
    {
        (await person.Api.PostFormAsync("/forgot-password", ("email", person.Email))).Status.Should().Be(HttpStatusCode.OK);
        return await person.Api.TokenFromMailAsync(person.Email, "Reset your password", mails);
    }

    public static async Task<bool> HasVerifiedEmailAsync(this Person person) =>
        (await person.GetAsync("auth/profile")).Body.GetProperty("email_verified").GetBoolean();
}
