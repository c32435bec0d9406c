using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Vtp.Infrastructure.Observability.Sentry;

/// <summary>Whatever is logged as an error, or worse, is told to Sentry.</summary>
internal sealed class SentryLoggerProvider(SentryOptions options, TimeProvider clock) : ILoggerProvider, IAsyncDisposable
{
    private readonly SentrySender _sender = new(options, clock);

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _sender, clock);

    // The container, which made it, ends it by the other one.
    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => _sender.DisposeAsync();

    private sealed class Logger(string category, SentrySender sender, TimeProvider clock) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Error or LogLevel.Critical;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            // What was put into the message stays here: it may be about people.
            var template = (state as IReadOnlyList<KeyValuePair<string, object?>>)?.FirstOrDefault(field => field.Key == "{OriginalFormat}").Value as string;
            var activity = Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current : null;
            sender.Tell(new SentryEvent(
                clock.GetUtcNow(),
                logLevel == LogLevel.Critical ? "fatal" : "error",
                category,
                template ?? "An error without a message.",
                exception,
                activity?.TraceId.ToHexString(),
                activity?.SpanId.ToHexString()));
        }
    }
}

internal static class SentryWiring
{
    public static void AddSentry(this ILoggingBuilder logging, IConfiguration configuration)
    {
        if (SentryOptions.Read(configuration) is { } options)
        {
            logging.Services.AddSingleton<ILoggerProvider>(provider => new SentryLoggerProvider(options, provider.GetRequiredService<TimeProvider>()));
        }
    }
}
