using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;
using Vtp.Domain.Common;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Realtime;

/// <summary>A server with namespaces of the test's own beside its own.</summary>
public class LiveApi : VtpApi
{
    private readonly string? _database;
    private readonly (string Name, string Value)[] _settings = [];

    public LiveApi()
    {
    }

    private LiveApi(VtpApi first, (string Name, string Value)[] settings) => (_database, _settings, Clock) = (first.ConnectionString, settings, first.Clock);

    internal TopicNamespace Rooms => Service<IEnumerable<SocketNamespace>>().OfType<TopicNamespace>().Single();

    public static async Task<LiveApi> BesideAsync(VtpApi first, params (string Name, string Value)[] settings)
    {
        var node = new LiveApi(first, settings);
        await node.InitializeAsync();
        return node;
    }

    protected override IEnumerable<KeyValuePair<string, string>> Settings => _settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value));

    protected override Task<string> DatabaseAsync() => _database is null ? base.DatabaseAsync() : Task.FromResult(_database);

    protected override void Replace(IServiceCollection services)
    {
        services.AddSingleton<SocketNamespace>(new EchoNamespace("/"));
        services.AddSingleton<SocketNamespace>(new EchoNamespace("/custom"));
        services.AddSingleton<SocketNamespace, TopicNamespace>();
    }
}

/// <summary>As the public test suites of the protocols expect their server: whatever comes goes back.</summary>
internal sealed class EchoNamespace : SocketNamespace
{
    public EchoNamespace(string name)
    {
        Name = name;
        On("message", (socket, happened, _) =>
        {
            socket.Emit("message-back", Encoding.UTF8.GetBytes(string.Join(',', happened.Arguments.Select(argument => argument.GetRawText()))), happened.Attachments);
            return ValueTask.FromResult(SocketReply.Nothing);
        });
        On("message-with-ack", (_, happened, _) => ValueTask.FromResult(SocketReply.Raw(happened.Arguments, happened.Attachments)));
        On("ask", async (socket, happened, cancellationToken) =>
            (await socket.AskAsync(happened.Arguments[0].GetString()!, new { from = "the server" }, TimeSpan.FromSeconds(1), cancellationToken)).TryGet(out var answer, out var refusal)
                ? SocketReply.Raw(answer.Arguments, answer.Attachments)
                : new SocketReply(null, refusal));
        On("fail", (_, _, _) => throw new InvalidDataException("Broken on purpose."));
        On("note", (_, happened, _) =>
        {
            Noted.Enqueue(happened.Arguments[0].GetInt32());
            return ValueTask.FromResult(SocketReply.Nothing);
        });
        On("leave", (socket, _, _) =>
        {
            socket.Disconnect();
            return ValueTask.FromResult(SocketReply.Nothing);
        });
    }

    public ConcurrentQueue<int> Noted { get; } = new();

    public override string Name { get; }

    public override bool IsOpenToAll => true;

    public override ValueTask<Refusal?> ConnectAsync(Socket socket, JsonElement auth, CancellationToken cancellationToken)
    {
        if (auth.ValueKind == JsonValueKind.Object && auth.TryGetProperty("unwelcome", out _))
        {
            return ValueTask.FromResult<Refusal?>(new Refusal(RefusalKind.Forbidden, "test.unwelcome", "You are not welcome."));
        }

        socket.Emit("auth", auth.ValueKind == JsonValueKind.Object ? auth : new { });
        return default;
    }
}

/// <summary>Topics for whoever has signed in, which they may publish to as well.</summary>
internal sealed class TopicNamespace : SocketNamespace
{
    private readonly ITopics _topics;

    public TopicNamespace(ITopics topics)
    {
        _topics = topics;
        On<Join, Joined>("join", (socket, asked, cancellationToken) =>
            socket.JoinAsync(new TopicInterest(asked.Topic), LogPosition.TryParse(asked.Since, out var since) ? since : null, cancellationToken));
        On<Said, Published>("publish", async (socket, said, cancellationToken) => (await PublishAsync(said.Topic, said.Text, said.ToOthers == true ? socket.Id : null, cancellationToken))
            .Match<Result<Published>>(place => new Published(place.ToString()), refusal => refusal));
        On<Said, Published>("send", (socket, said, _) =>
        {
            _topics.Send(new Publication(said.Topic, "said", JsonSerializer.SerializeToUtf8Bytes(said.Text)));
            return ValueTask.FromResult<Result<Published>>(new Published(""));
        });
    }

    public override string Name => "/topics";

    public override bool IsRecoverable => true;

    public Task<Result<LogPosition>> PublishAsync(string topic, string text, string? except = null, CancellationToken cancellationToken = default) =>
        _topics.PublishAsync(new Publication(topic, "said", JsonSerializer.SerializeToUtf8Bytes(new { text })) { Except = except }, cancellationToken).AsTask();

    private sealed record Join(string Topic, string? Since);

    private sealed record Said(string Topic, string Text, bool? ToOthers);

    private sealed record Published(string Place);
}
