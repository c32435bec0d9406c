using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using Vtp.Infrastructure.Observability.Sentry;

namespace Vtp.Infrastructure.Observability;

public static class LogWiring
{
    /// <summary>To the console, readable or as JSON; besides, where they are set, to a collector and to Sentry.</summary>
    public static void AddLogs(this ILoggingBuilder logging, IConfiguration configuration)
    {
        switch (configuration["Logging:Format"])
        {
            case null or "" or "text":
                break;
            case "json":
                logging.AddConsole(console => console.FormatterName = JsonLogFormatter.FormatterName);
                logging.AddConsoleFormatter<JsonLogFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
                break;
            case var other:
                throw new StartupFault($"Logging:Format is '{other}': there are text and json.");
        }

        var otlp = new Otlp(configuration);
        if (otlp.SendsLogs)
        {
            logging.AddOpenTelemetry(options =>
            {
                options.IncludeFormattedMessage = true;
                options.ParseStateValues = true;
            });
            logging.Services.ConfigureOpenTelemetryLoggerProvider(builder => otlp.AddTo(builder.ConfigureResource(otlp.Describe)));
        }

        logging.AddSentry(configuration);
    }
}
