using Vtp.Infrastructure.Persistence.Embedded;

namespace Vtp.Api;

internal static class StartDatabase
{
    /// <summary>With ConnectionStrings__Vtp set, no embedded server is started, stopped or deleted.</summary>
    public static async Task<EmbeddedPostgres?> EmbeddedUnlessConfiguredAsync(StartOptions options)
    {
        var configuration = new ConfigurationBuilder()
            .AddEnvironmentVariables()
            .AddCommandLine(options.HostArguments)
            .Build();
        if (!string.IsNullOrWhiteSpace(configuration.GetConnectionString("Vtp")))
        {
            return null;
        }

        if (options.Reset)
        {
            await EmbeddedPostgres.ResetAsync(options.Folder, CancellationToken.None);
        }

        return await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions(options.Folder, configuration["VTP_POSTGRES_BIN"]), CancellationToken.None);
    }
}
