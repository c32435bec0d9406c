using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vtp.Integration.Fixture;
using Vtp.Integration.Tenancy;

namespace Vtp.Integration.Webhooks;

/// <summary>A server that may send webhooks to this machine.</summary>
public class WebhookApi : VtpApi
{
    private string? _database;

    /// <summary>Of one attempt.</summary>
    public string Timeout { get; init; } = "00:00:02";

    protected override IEnumerable<KeyValuePair<string, string>> Settings =>
        [new("Webhooks:AllowHttp", "true"), new("Webhooks:AllowedNetworks", "127.0.0.0/8"), new("Webhooks:Timeout", Timeout)];

    public async Task<WebhookApi> AnotherNodeAsync()
    {
        var node = new WebhookApi { Clock = Clock, _database = ConnectionString };
        await node.InitializeAsync();
        return node;
    }

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);
}

public sealed class TalkativeWebhookApi : WebhookApi
{
    protected override bool LogsAll => true;
}

/// <param name="Body">As it arrived.</param>
public sealed record ReceivedHook(string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Id => Headers["webhook-id"];

    public JsonNode Json => JsonNode.Parse(Body)!;

    public string Type => Json["type"]!.GetValue<string>();

    /// <summary>As a receiver verifies it, by the specification alone.</summary>
    public bool IsSignedWith(string secret)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Id}.{Headers["webhook-timestamp"]}.{Body}")));
        return Headers["webhook-signature"].Split(' ').Contains($"v1,{signature}", StringComparer.Ordinal);
    }
}

/// <summary>Somebody's server, which answers as a test tells it to.</summary>
public sealed class HookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HookReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<ReceivedHook> Received { get; } = new();

    /// <summary>204 unless a test says otherwise.</summary>
    public Func<ReceivedHook, HttpContext, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    public string Url => $"{_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}/hook";

    public static async Task<HookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var receiver = new HookReceiver(builder.Build());
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public IEnumerable<ReceivedHook> Of(string type) => Received.Where(hook => hook.Type == type);

    public Task UntilAsync(int count, string? type = null) =>
        VtpApi.UntilAsync(() => (type is null ? Received.Count : Of(type).Count()) >= count, $"{count} webhooks, of {Received.Count}");

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var hook = new ReceivedHook(
            context.Request.Path,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await reader.ReadToEndAsync());
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        Received.Enqueue(hook);
        await Answer(hook, context);
    }
}

/// <param name="Secret">What it verifies with.</param>
public sealed record Hook(SchoolProject Project, School School, Guid Id, string Secret)
{
    public string Path => $"{Project.Path}/webhooks/{Id}";

    public async Task<JsonNode> ViewAsync() => JsonNode.Parse((await School.Owner.GetAsync(Path)).Text)!["webhook"]!;

    /// <summary>Its deliveries, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> DeliveriesAsync(string filter = "") =>
        [.. (await School.Owner.GetAsync($"webhooks/logs?webhook_id={Id}&limit=100{filter}")).Data().Reverse().Select(one => one!)];

    /// <summary>Something happens that it is told of; by a key, which no step of the clock ends.</summary>
    public Task<Answer> RenameAsync(string name) => School.Api.WithKeyAsync(HttpMethod.Put, Project.Path, Project.Secret, new { name });
}

public static class WebhookIntents
{
    public static async Task<Hook> HookAsync(this School school, string url, SchoolProject? project = null, object? more = null)
    {
        project ??= await school.CreateProjectAsync();
        var body = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(more ?? new { }))!.AsObject();
        body["url"] = url;
        var answer = await school.Owner.PostAsync($"{project.Path}/webhooks", body);
        answer.Status.Should().Be(HttpStatusCode.Created, answer.Text);
        return new Hook(project, school, answer.Body.GetProperty("webhook").GetProperty("id").GetGuid(), answer["secret"]);
    }
}
