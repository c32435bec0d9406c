using System.Net;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Identity.Administration;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

public sealed class SetupLinkTests : IAsyncLifetime
{
    private readonly VtpApi _api = new();

    // A database of its own for each test: the first administrator comes about once.
    public Task InitializeAsync() => _api.InitializeAsync();

    public Task DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_new_installation_has_no_account_and_a_guessed_link_makes_none()
    {
        (await SetUpAsync("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).Status.Should().Be(HttpStatusCode.Unauthorized);
        (await _api.QueryAsync<long>("SELECT count(*) FROM accounts")).Should().Be(0);
    }

    [Fact]
    public async Task The_link_works_for_thirty_minutes_and_no_longer()
    {
        var inTime = await OfferAsync();
        _api.Clock.Advance(TimeSpan.FromMinutes(29));
        (await SetUpAsync(inTime)).Status.Should().Be(HttpStatusCode.Created);

        await _api.QueryAsync<int>("DELETE FROM accounts");
        var late = await OfferAsync();
        _api.Clock.Advance(TimeSpan.FromMinutes(30));
        var answer = await SetUpAsync(late);

        answer.Status.Should().Be(HttpStatusCode.Unauthorized);
        answer.Error.Should().Be("setup.link_rejected");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public async Task Ten_parallel_posts_make_one_administrator_with_one_link_or_with_links_of_several_starts(int links)
    {
        var tokens = new List<string>();
        for (var count = 0; count < links; count++)
        {
            tokens.Add(await OfferAsync());
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(index => SetUpAsync(tokens[index % links], $"head{index}@school.example")));

        answers.Count(answer => answer.Status == HttpStatusCode.Created).Should().Be(1);
        answers.Where(answer => answer.Status != HttpStatusCode.Created).Select(answer => answer.Status).Should()
            .OnlyContain(status => status == HttpStatusCode.Unauthorized || status == HttpStatusCode.Conflict);
        (await _api.QueryAsync<long>("SELECT count(*) FROM accounts")).Should().Be(1);
    }

    private async Task<string> OfferAsync()
    {
        await using var scope = _api.Service<IServiceScopeFactory>().CreateAsyncScope();
        (await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new OfferSetupCommand())).TryGet(out var offer, out _).Should().BeTrue();
        return offer!.Link!.Split("token=")[1];
    }

    private Task<Answer> SetUpAsync(string token, string email = "head@school.example") =>
        _api.PostAsync("setup", new { token, email, full_name = "Head Example", password = Intents.GoodPassword });
}
