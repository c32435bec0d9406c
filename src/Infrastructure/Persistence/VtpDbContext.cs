using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Identity.Administration;
using Vtp.Domain.Identity.EmailVerification;
using Vtp.Domain.Identity.PasswordReset;
using Vtp.Domain.Identity.SecurityEvents;
using Vtp.Domain.Identity.Sessions;
using Vtp.Domain.Identity.TwoFactor;
using Vtp.Domain.Notifications;
using Vtp.Domain.Operations;
using Vtp.Domain.Realtime;
using Vtp.Domain.Tenancy;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Exports;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Webhooks;
using Vtp.Infrastructure.Audit;
using Vtp.Infrastructure.Events;
using Vtp.Infrastructure.Jobs;
using Vtp.Infrastructure.Secrets;

namespace Vtp.Infrastructure.Persistence;

/// <summary>
/// The one unit of work. Table and column names are the snake_case of the types' own; the schema itself is made by the
/// SQL in Migrations, and a test compares the two.
/// </summary>
internal sealed class VtpDbContext(DbContextOptions<VtpDbContext> options) : DbContext(options), IVtpDb
{
    private bool _isHeld;

    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<Session> Sessions => Set<Session>();

    public DbSet<SecondFactor> SecondFactors => Set<SecondFactor>();

    public DbSet<SignInChallenge> SignInChallenges => Set<SignInChallenge>();

    public DbSet<EmailCode> EmailCodes => Set<EmailCode>();

    public DbSet<PasswordResetToken> PasswordResetTokens => Set<PasswordResetToken>();

    public DbSet<EmailVerificationToken> EmailVerificationTokens => Set<EmailVerificationToken>();

    public DbSet<SetupLink> SetupLinks => Set<SetupLink>();

    public DbSet<SecurityEvent> SecurityEvents => Set<SecurityEvent>();

    public DbSet<OutgoingEmail> Emails => Set<OutgoingEmail>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    public DbSet<Organization> Organizations => Set<Organization>();

    public DbSet<Member> Members => Set<Member>();

    public DbSet<Invitation> Invitations => Set<Invitation>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<ArchiveExport> ArchiveExports => Set<ArchiveExport>();

    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();

    public DbSet<WebhookSigningSecret> WebhookSecrets => Set<WebhookSigningSecret>();

    public DbSet<WebhookHealth> WebhookHealths => Set<WebhookHealth>();

    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    public DbSet<WebhookAttempt> WebhookAttempts => Set<WebhookAttempt>();

    public DbSet<SystemAlert> SystemAlerts => Set<SystemAlert>();

    public DbSet<DashboardAlert> DashboardAlerts => Set<DashboardAlert>();

    /// <summary>Whose rows this unit of work sees. Contexts are pooled; whoever hands one out sets it.</summary>
    public TenantScope Tenant { get; set; } = new();

    // Query filters are made of plain members: anything else in them EF Core evaluates by compiling it, for every query.
    private OrganizationId[] TenantIds => Tenant.Organizations;

    private bool SeesEveryProject => Tenant.Project is null;

    private ProjectId? TenantProject => Tenant.Project;

    /// <summary>Jobs that wait for the next save. Set by whoever hands a context out, as <see cref="Tenant"/> is.</summary>
    public JobQueue? Jobs { get; set; }

    /// <summary>Events that wait for the next save; set likewise.</summary>
    public EventWriter? Events { get; set; }

    /// <summary>Set likewise.</summary>
    public Announcements? Announcements { get; set; }

    /// <summary>Marks entries as VTP's own. Set by whoever hands a context out.</summary>
    public AuditMarks? Marks { get; set; }

    public Func<AuditEntry>? PendingAudit { get; set; }

    public void Enqueue(ICommand<Done> command, DateTimeOffset? runAt = null, string? uniqueKey = null, short priority = 0) =>
        (Jobs ?? throw new InvalidOperationException("This context has no queue.")).Add(command, runAt, uniqueKey, priority);

    public Task BeginAsync(CancellationToken cancellationToken) =>
        _isHeld ? Task.CompletedTask : Database.BeginTransactionAsync(cancellationToken);

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        Guid? auditId = null;
        if (PendingAudit is { } pending)
        {
            ChangeTracker.DetectChanges();
            var changes = AuditChanges.Of(ChangeTracker);
            var added = pending();
            added.Describe(changes);
            Add(added);
            auditId = added.Id;
            PendingAudit = null;
        }

        Events?.Collect(ChangeTracker, auditId);
        if ((Jobs is { IsEmpty: false } || Events is { IsEmpty: false }) && Database.CurrentTransaction is null)
        {
            await Database.BeginTransactionAsync(cancellationToken);
        }

        var saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (Events is { IsEmpty: false })
        {
            await Events.WriteAsync(Database, cancellationToken);
        }

        if (Jobs is { IsEmpty: false })
        {
            await Jobs.WriteAsync(Database, cancellationToken);
        }

        if (!_isHeld)
        {
            await CommitAsync(cancellationToken);
        }

        return saved;
    }

    public Task SaveForNowAsync(CancellationToken cancellationToken)
    {
        if (Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("Begin a transaction first.");
        }

        Events?.Collect(ChangeTracker, auditId: null); // What is deleted now is not tracked any more later.
        return base.SaveChangesAsync(acceptAllChangesOnSuccess: true, cancellationToken);
    }

    public async Task SaveUnauditedAsync(CancellationToken cancellationToken)
    {
        PendingAudit = null;
        await SaveChangesAsync(cancellationToken);
        if (_isHeld)
        {
            await CommitAsync(cancellationToken);
            await Database.BeginTransactionAsync(cancellationToken);
        }
    }

    public async Task WriteAuditAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        await RollBackAsync();
        ForgetChanges();
        PendingAudit = null;
        Add(entry);
        await SaveChangesAsync(cancellationToken);
    }

    /// <summary>Gives up what a handler has not saved.</summary>
    internal void ForgetChanges()
    {
        ChangeTracker.Clear();
        Jobs?.Forget();
        Events?.Forget();
        Announcements?.Forget();
    }

    /// <summary>Begins a transaction that no save commits, so that what only the caller of the handler knows can join it.</summary>
    internal async Task HoldAsync(CancellationToken cancellationToken)
    {
        await Database.BeginTransactionAsync(cancellationToken);
        _isHeld = true;
    }

    internal Task CommitHeldAsync(CancellationToken cancellationToken)
    {
        _isHeld = false;
        return CommitAsync(cancellationToken);
    }

    /// <summary>Rolls back what a hold has not committed.</summary>
    internal Task EndHoldAsync()
    {
        _isHeld = false;
        return RollBackAsync();
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<AccountId>().HaveConversion<AccountIdConverter>();
        configurationBuilder.Properties<SessionId>().HaveConversion<SessionIdConverter>();
        configurationBuilder.Properties<OrganizationId>().HaveConversion<OrganizationIdConverter>();
        configurationBuilder.Properties<ProjectId>().HaveConversion<ProjectIdConverter>();
        configurationBuilder.Properties<EmailAddress>().HaveConversion<EmailAddressConverter>();
        configurationBuilder.Properties<Enum>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(VtpDbContext).Assembly);
        modelBuilder.HasDbFunction(typeof(Queries).GetMethod(nameof(Queries.Fold))!).HasName("vtp_fold").HasSchema("public");
        FilterByTenant(modelBuilder);
        var sealer = this.GetService<SecretSealer>();
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            entity.SetTableName(SnakeCase(entity.GetTableName()!));
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(property.Name == RowVersion ? property.Name : SnakeCase(property.Name));
                if (property.FindAnnotation(Sealed) is not null)
                {
                    property.SetValueConverter(new SealedConverter(sealer));
                    property.SetValueComparer(SealedConverter.Comparer);
                }

                if (property.ClrType.IsEnum || Nullable.GetUnderlyingType(property.ClrType) is { IsEnum: true })
                {
                    property.SetValueConverter(EnumConverter(Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType));
                }
            }
        }
    }

    /// <summary>
    /// The first of two walls; the second stands in PostgreSQL (row-level security). Each holds without the other, and a
    /// test of the model sees that every table with an organization has both.
    /// </summary>
    private void FilterByTenant(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Organization>().HasQueryFilter(Queries.TenantFilter, row => TenantIds.Contains(row.Id));
        modelBuilder.Entity<Member>().HasQueryFilter(Queries.TenantFilter, row => TenantIds.Contains(row.OrganizationId));
        modelBuilder.Entity<Invitation>().HasQueryFilter(Queries.TenantFilter, row => TenantIds.Contains(row.OrganizationId));
        modelBuilder.Entity<Project>().HasQueryFilter(
            Queries.TenantFilter,
            row => TenantIds.Contains(row.OrganizationId) && (SeesEveryProject || row.Id == TenantProject));
        OfProject<ApiKey>(modelBuilder);
        OfProject<WebhookEndpoint>(modelBuilder);
        OfProject<WebhookSigningSecret>(modelBuilder);
        OfProject<WebhookHealth>(modelBuilder);
        OfProject<WebhookDelivery>(modelBuilder);
        OfProject<WebhookAttempt>(modelBuilder);
        modelBuilder.Entity<ArchiveExport>().HasQueryFilter(
            Queries.TenantFilter,
            row => TenantIds.Contains(row.OrganizationId) && (SeesEveryProject || row.ProjectId == TenantProject));
        modelBuilder.Entity<DashboardAlert>().HasQueryFilter(
            Queries.TenantFilter, row => row.OrganizationId != null && TenantIds.Contains(row.OrganizationId.Value));
        modelBuilder.Entity<AuditEntry>().HasQueryFilter(
            Queries.TenantFilter,
            row => row.OrganizationId != null && TenantIds.Contains(row.OrganizationId.Value) && (SeesEveryProject || row.ProjectId == TenantProject));
    }

    private void Add(AuditEntry entry)
    {
        (Marks ?? throw new InvalidOperationException("This context cannot mark entries.")).Mark(entry);
        AuditEntries.Add(entry);
    }

    private void OfProject<T>(ModelBuilder modelBuilder)
        where T : class, IOfProject =>
        modelBuilder.Entity<T>().HasQueryFilter(
            Queries.TenantFilter,
            row => TenantIds.Contains(row.OrganizationId) && (SeesEveryProject || row.ProjectId == TenantProject));

    /// <summary>PostgreSQL's own row version; a lost race is a <see cref="DbUpdateConcurrencyException"/>, answered 409.</summary>
    internal const string RowVersion = "xmin";

    /// <summary>Annotation of columns whose bytes are encrypted at rest.</summary>
    internal const string Sealed = "vtp:sealed";

    internal static string SnakeCase(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (Database.CurrentTransaction is { } transaction)
        {
            await transaction.CommitAsync(cancellationToken);
            await transaction.DisposeAsync();
            Events?.Committed();
        }

        Announcements?.Committed();
    }

    private async Task RollBackAsync()
    {
        if (Database.CurrentTransaction is { } transaction)
        {
            await transaction.DisposeAsync();
        }
    }

    private static ValueConverter EnumConverter(Type type) =>
        (ValueConverter)Activator.CreateInstance(typeof(SnakeCaseEnumConverter<>).MakeGenericType(type))!;
}
