using System.Net;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;
using Vtp.Application.Audit;
using Vtp.Application.Common;
using Vtp.Application.Events;
using Vtp.Application.Identity;
using Vtp.Application.Notifications;
using Vtp.Application.Operations.Jobs;
using Vtp.Application.Operations.Upkeep;
using Vtp.Application.Tenancy;
using Vtp.Application.Tenancy.Archives;
using Vtp.Application.Tenancy.Exports;
using Vtp.Application.Tenancy.Projects;
using Vtp.Application.Webhooks;
using Vtp.Application.Webhooks.Deliveries;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Archives;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Caching;
using Vtp.Infrastructure.Email;
using Vtp.Infrastructure.Events;
using Vtp.Infrastructure.Idempotency;
using Vtp.Infrastructure.Jobs;
using Vtp.Infrastructure.Jobs.Schedules;
using Vtp.Infrastructure.Links;
using Vtp.Infrastructure.Notices;
using Vtp.Infrastructure.Observability;
using Vtp.Infrastructure.Passwords;
using Vtp.Infrastructure.Performance;
using Vtp.Infrastructure.Persistence;
using Vtp.Infrastructure.Profiles;
using Vtp.Infrastructure.RateLimiting;
using Vtp.Infrastructure.Realtime;
using Vtp.Infrastructure.Redis;
using Vtp.Infrastructure.Relay;
using Vtp.Infrastructure.Rooms;
using Vtp.Infrastructure.Secrets;
using Vtp.Infrastructure.Sessions;
using Vtp.Infrastructure.Tenancy;
using Vtp.Infrastructure.Tokens;
using Vtp.Infrastructure.Tracker;
using Vtp.Infrastructure.Upkeep;
using Vtp.Infrastructure.Webhooks;

namespace Vtp.Infrastructure;

public static class Wiring
{
    /// <param name="services">The server's.</param>
    /// <param name="configuration">Sections Passwords, Tokens, Email, Links, RateLimits, Cache, Archives, Jobs, Events, Webhooks, Tracker, Relay, Realtime, Signaling, Sfu, Performance.</param>
    /// <param name="folder">Where the embedded server and mails without a mail server are kept.</param>
    /// <param name="publicUrl">How people reach this server; mails link to it.</param>
    public static IServiceCollection AddInfrastructure(
        this IServiceCollection services, IConfiguration configuration, string folder, Func<IServiceProvider, Uri> publicUrl)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddObservability(configuration);
        services.AddDatabase();
        services.AddRedis(configuration);
        services.AddSecrets();
        services.AddPasswords(configuration);
        services.AddTokens(configuration);
        services.AddEmail(configuration, folder);
        services.AddRateLimits();
        services.AddScoped<IIdempotencyStore, IdempotencyStore>();
        services.AddSingleton<ExpiredAnswers>();
        services.AddCache(configuration);
        services.AddTenancy(configuration);
        services.AddArchives(configuration);
        services.AddAudit(configuration);
        services.AddJobs(configuration);
        services.AddEvents(configuration);
        services.AddHostedService<NoticeListener>();
        services.AddWebhooks(configuration);
        services.AddTracker(configuration);
        services.AddRelay(configuration);
        services.AddRealtime(configuration);
        services.AddPerformance(configuration);
        services.AddRooms(configuration);
        services.AddSingleton<IProfiles, ProfileReader>();
        services.AddSingleton<IQrCodes, QrCodes>();
        services.AddSingleton<ILinks>(provider =>
            new ConfiguredLinks(configuration.GetSection("Links").Get<LinkOptions>() ?? new(), () => publicUrl(provider)));
        return services;
    }

    private static void AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton(provider => Connections.Pool(ConnectionString(provider)));
        services.AddKeyedSingleton(Connections.Reads, (provider, _) => Connections.ReadPool(ConnectionString(provider)));
        services.AddDbContextPool<VtpDbContext>((provider, options) => options
            .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>())
            .UseApplicationServiceProvider(provider)
            .ReplaceService<IModelCacheKeyFactory, ModelPerServer>()
            .AddInterceptors(
                new ForUpdateInterceptor(),
                new TenantInterceptor(),
                new EndedSessionsInterceptor(provider.GetRequiredService<EndedSessions>()),
                new KeyChangesInterceptor(provider.GetRequiredService<KnownKeys>()))
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning)));
        // A pooled context comes with the scope of whoever had it before; nobody may get it without their own. Around EF
        // Core's own registration, whose lease knows that several services of a request hold, and dispose, one context.
        var pooled = services.Last(service => service.ServiceType == typeof(VtpDbContext)).ImplementationFactory!;
        services.Replace(ServiceDescriptor.Scoped(provider =>
        {
            var db = (VtpDbContext)pooled(provider);
            db.Database.AutoSavepointsEnabled = false; // Two round trips for each save; one that fails ends its transaction.
            db.Tenant = provider.GetRequiredService<TenantScope>();
            db.Jobs = provider.GetRequiredService<JobQueue>();
            db.Events = provider.GetRequiredService<EventWriter>();
            db.Announcements = provider.GetRequiredService<Announcements>();
            db.Marks = provider.GetRequiredService<AuditMarks>();
            return db;
        }));
        services.AddScoped(provider => new Announcements(provider.GetRequiredService<Invalidations>().NudgeAsync));
        services.AddScoped<IVtpDb>(provider => provider.GetRequiredService<VtpDbContext>());
    }

    private static string ConnectionString(IServiceProvider provider) =>
        provider.GetRequiredService<IConfiguration>().GetConnectionString("Vtp") ?? throw new StartupFault("ConnectionStrings__Vtp is not set.");

    private static void AddTenancy(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(configuration.GetSection("Tenancy").Get<TenancyLimits>() ?? new());
        services.AddSingleton(new LiveKitAddress(configuration["LiveKit:Url"]));
        services.AddSingleton<IMemberships, MembershipReader>();
        services.AddSingleton<KnownKeys>();
        services.AddSingleton(provider => new Nudge(KnownKeys.Channel, provider.GetRequiredService<KnownKeys>().Wake));
        services.AddSingleton<KeyUses>();
        services.AddSingleton<IApiKeyReader, ApiKeyReader>();
        services.AddHostedService(provider => provider.GetRequiredService<KnownKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<KeyUses>());
    }

    private static void AddArchives(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ArchiveLimits>().Bind(configuration.GetSection("Archives"))
            .Validate(limits => limits.MaximumBytes >= 1, "Archives:MaximumBytes must be 1 or more.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<ArchiveLimits>>().Value);
        services.AddScoped<SchemaVersion>();
        services.AddScoped<IArchiveExporter, ArchiveExporter>();
        services.AddScoped<IArchiveImporter, ArchiveImporter>();
        services.AddScoped<IArchiveStore, ArchiveStore>();
    }

    private static void AddAudit(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AuditOptions>().Bind(configuration.GetSection("Audit"))
            .Validate(options => options.SealEvery >= TimeSpan.FromMilliseconds(10) && options.SealEvery <= TimeSpan.FromDays(1), "Audit:SealEvery must lie between 10 milliseconds and a day.")
            .ValidateOnStart();
        services.AddSingleton<IAuditPartitions, AuditPartitions>();
        services.AddScoped<IAuditLog, AuditLog>();
        services.AddScoped<IAuditTrail, AuditTrailReader>();
        services.AddSingleton<AuditSigningKeys>();
        services.AddSingleton<IAuditKeys>(provider => provider.GetRequiredService<AuditSigningKeys>());
        services.AddSingleton<AuditMarks>();
        services.AddSingleton<AuditInsertions>();
        services.AddSingleton<SealedEntries>();
        services.AddSingleton<AuditSealer>();
        services.AddSingleton<AuditAdoption>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditSigningKeys>());
        services.AddSingleton<AuditExpiry>();
        services.AddHostedService<AuditSealing>();
    }

    private static void AddJobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<JobOptions>().Bind(configuration.GetSection("Jobs"))
            .Validate(options => options.Concurrency is >= 1 and <= 1000, "Jobs:Concurrency must lie between 1 and 1000.")
            .Validate(options => options.KeepDead >= TimeSpan.FromHours(1), "Jobs:KeepDead must be an hour or more.")
            .Validate(options => options.Drain >= TimeSpan.Zero && options.Drain <= JobOptions.LongestDrain, "Jobs:Drain must lie between 0 and 22 seconds.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<JobOptions>>().Value);
        services.AddSingleton<JobKinds>();
        services.AddSingleton<JobMetrics>();
        services.AddSingleton<JobTally>();
        services.AddSingleton<JobStore>();
        services.AddSingleton<DeadJobs>();
        services.AddSingleton<IJobAdministration, JobAdministration>();
        services.AddSingleton<IJobStatistics, JobStatisticsReader>();
        services.AddSingleton<ISchedules, ScheduleAdministration>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<JobWakes>();
        services.AddScoped<JobQueue>();
        services.AddSingleton(provider => new NoticeChannel(JobWakes.Channel, provider.GetRequiredService<JobWakes>().Wake));
        services.AddHostedService<JobWorker>();
        services.AddSingleton<IUpkeep, DatabaseUpkeep>();
        services.AddSchedules();
    }

    private static void AddSchedules(this IServiceCollection services)
    {
        foreach (var schedule in Schedule.All)
        {
            services.AddSingleton(schedule);
        }

        var sign = (NodeSign)services.Single(service => service.ServiceType == typeof(NodeSign)).ImplementationInstance!;
        services.AddQuartz(quartz =>
        {
            // Who pauses or runs a schedule wakes its own node; the others look each minute.
            quartz.ConfigureScheduler(options =>
                (options.InstanceName, options.InstanceId, options.IdleWaitTime) = ("vtp", sign.Name, TimeSpan.FromMinutes(1)));
            quartz.UseDefaultThreadPool(2);
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(source => source.DataSourceFactory = provider => provider.GetRequiredService<NpgsqlDataSource>());
                store.ConfigureStore(options => (options.TablePrefix, options.UseBackgroundThreads) = ("qrtz_", true));
                store.UseClustering(cluster => cluster.CheckinInterval = TimeSpan.FromSeconds(15));
            });
        });
        services.AddHostedService<ScheduleStarter>();
    }

    private static void AddEvents(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<EventOptions>().Bind(configuration.GetSection("Events"))
            .Validate(options => options.KeepDays is >= 7 and <= 3650, "Events:KeepDays must lie between 7 and 3650.")
            .Validate(options => options.KeepDeliveriesDays is >= 7 and <= 365, "Events:KeepDeliveriesDays must lie between 7 and 365.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<EventOptions>>().Value);
        services.AddSingleton<TimePartitions>();
        services.AddSingleton<EventWakes>();
        services.AddSingleton<EventSignal>();
        services.AddSingleton<IEventSignal>(provider => provider.GetRequiredService<EventSignal>());
        services.AddSingleton(provider => new NoticeChannel(EventSignal.Channel, provider.GetRequiredService<EventSignal>().Fire));
        services.AddScoped<EventWriter>();
        services.AddScoped<IEventLog, EventLog>();
        services.AddHostedService<EventPump>();
    }

    private static void AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<WebhookOptions>().Bind(configuration.GetSection("Webhooks"))
            .Validate(options => options.Timeout >= WebhookOptions.ShortestTimeout && options.Timeout <= WebhookOptions.LongestTimeout, "Webhooks:Timeout must lie between 1 and 30 seconds.")
            .Validate(options => options.ToRules() is not null, "Webhooks:AllowedNetworks needs CIDRs like 10.0.0.0/8, comma separated.")
            .ValidateOnStart();
        services.AddSingleton<IEd25519, Ed25519>();
        services.AddScoped<IWebhookQueue, WebhookQueue>();
        services.AddSingleton<IEventConsumer, WebhookFanOut>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<WebhookOptions>>().Value.ToRules()!);
        services.AddSingleton<IWebhookSender>(provider => new WebhookSender(
            provider.GetRequiredService<WebhookUrlRules>(),
            (name, cancellationToken) => Dns.GetHostAddressesAsync(name, cancellationToken),
            provider.GetRequiredService<IOptions<WebhookOptions>>().Value.Timeout,
            provider.GetRequiredService<TimeProvider>()));
    }

    private static void AddSecrets(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("vtp");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(
            options => options.XmlRepository = new DataProtectionKeys(provider.GetRequiredService<NpgsqlDataSource>())));
        services.AddSingleton<SecretSealer>();
    }

    private static void AddPasswords(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<PasswordOptions>().Bind(configuration.GetSection("Passwords"))
            .Validate(options => options.MinimumLength is >= 8 and <= 64, "Passwords:MinimumLength must lie between 8 and 64.")
            .Validate(options => options.Iterations >= 220_000, "Passwords:Iterations must be 220000 or more.")
            .Validate(options => options.QueuePerCore >= 1, "Passwords:QueuePerCore must be 1 or more.")
            .ValidateOnStart();
        services.AddSingleton<ICommonPasswords, CommonPasswords>();
        services.AddSingleton<IPasswordHasher, PasswordHasher>();
        services.AddSingleton(provider => new PasswordPolicy(
            provider.GetRequiredService<IOptions<PasswordOptions>>().Value.MinimumLength, provider.GetRequiredService<ICommonPasswords>()));
    }

    private static void AddTokens(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TokenOptions>().Bind(configuration.GetSection("Tokens"))
            .Validate(
                options => options.AccessLifetime >= TimeSpan.FromMinutes(1) && options.AccessLifetime <= TimeSpan.FromHours(24),
                "Tokens:AccessLifetime must lie between 1 minute and 24 hours.")
            .ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<TokenOptions>>().Value is var options
            ? new SessionPolicy(options.RefreshIdle, options.RefreshAbsolute, options.RefreshReuseGrace)
            : null!);
        services.AddSingleton<EndedSessions>();
        services.AddSingleton(provider => new Nudge(EndedSessions.Channel, provider.GetRequiredService<EndedSessions>().Wake));
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<IAccessTokens>(provider => provider.GetRequiredService<AccessTokens>());
        services.AddSingleton<IAccessTokenReader>(provider => provider.GetRequiredService<AccessTokens>());
        services.AddSingleton<ISigningKeys>(provider => provider.GetRequiredService<SigningKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<EndedSessions>());
        services.AddHostedService(provider => provider.GetRequiredService<SigningKeys>());
    }

    private static void AddEmail(this IServiceCollection services, IConfiguration configuration, string folder)
    {
        var options = EmailOptions.Read(configuration);
        services.AddSingleton<EmailRenderer>();
        services.AddSingleton<IEmailProvider>(provider => options.Smtp is { } smtp
            ? new SmtpEmailProvider(smtp, options.From, provider.GetRequiredService<TimeProvider>())
            : new FolderEmailProvider(options.Folder ?? Path.Combine(folder, "mail"), options.From, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IMailer, EmailSender>();
    }

    /// <summary>The model holds the converter that opens this server's secrets; servers in one process must not share it.</summary>
    private sealed class ModelPerServer : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (context.GetType(), designTime, context.GetService<SecretSealer>());
    }
}
