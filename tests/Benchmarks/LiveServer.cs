using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vtp.Api.Realtime.SocketIo;
using Vtp.Application.Realtime;

namespace Vtp.Benchmarks;

/// <summary>The server as it is shipped, with one namespace more: one that anybody may publish to.</summary>
internal static class LiveServer
{
    public static async Task RunAsync()
    {
        // As test hosts do: the builder tells whoever listens that it is about to build.
        using var listening = DiagnosticListener.AllListeners.Subscribe(new Hosts());
        var entry = typeof(SocketNamespace).Assembly.EntryPoint!;
        await ((entry.Invoke(null, [Array.Empty<string>()]) as Task) ?? Task.CompletedTask);
    }

    private sealed class Hosts : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
            {
                builder.ConfigureServices(services => services.AddSingleton<SocketNamespace, BenchNamespace>());
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class BenchNamespace : SocketNamespace
    {
        public BenchNamespace(ITopics topics)
        {
            On("join", async (socket, happened, cancellationToken) =>
            {
                await socket.JoinAsync(new TopicInterest(happened.Arguments[0].GetString()!), since: null, cancellationToken);
                return SocketReply.Nothing;
            });
            On("publish", async (_, happened, cancellationToken) =>
            {
                var text = Encoding.UTF8.GetBytes(happened.Arguments[1].GetRawText());
                await topics.PublishAsync(new Publication(happened.Arguments[0].GetString()!, "m", text), cancellationToken);
                return SocketReply.Nothing;
            });
        }

        public override string Name => "/bench";

        public override bool IsOpenToAll => true;

        public override bool IsRecoverable => true;
    }
}
