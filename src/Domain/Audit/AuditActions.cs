namespace Vtp.Domain.Audit;

/// <param name="Name"><c>area.what_happened</c></param>
/// <param name="Resource">What it is done to. It is within the hash of every entry, so that it never changes.</param>
public sealed record AuditAction(string Name, string Resource, string Description);

/// <summary>Everything that the trail can speak of: the one list. docs/audit-actions.md is made of it.</summary>
public static class AuditActions
{
    public const string AccountRegistered = "account.registered";
    public const string AccountCreated = "account.created";
    public const string AccountDisabled = "account.disabled";
    public const string AccountEnabled = "account.enabled";
    public const string AccountRoleChanged = "account.role_changed";
    public const string AccountProfileUpdated = "account.profile_updated";
    public const string AccountPasswordChanged = "account.password_changed";
    public const string AccountEmailVerified = "account.email_verified";
    public const string AccountVerificationResent = "account.verification_resent";
    public const string PasswordResetRequested = "password_reset.requested";
    public const string PasswordResetCompleted = "password_reset.completed";
    public const string SessionStarted = "session.started";
    public const string SessionStartedByEmailCode = "session.started_by_email_code";
    public const string SessionSignedOut = "session.signed_out";
    public const string SessionSignedOutEverywhere = "session.signed_out_everywhere";
    public const string SessionRevoked = "session.revoked";
    public const string EmailCodeRequested = "email_code.requested";
    public const string TwoFactorSetUp = "two_factor.set_up";
    public const string TwoFactorEnabled = "two_factor.enabled";
    public const string TwoFactorDisabled = "two_factor.disabled";
    public const string TwoFactorVerified = "two_factor.verified";
    public const string BackupCodesRegenerated = "two_factor.backup_codes_regenerated";
    public const string SigningKeyRotated = "signing_key.rotated";
    public const string AuditKeyRotated = "audit_key.rotated";
    public const string InstallationAuditExported = "installation.audit_exported";
    public const string JobRetried = "job.retried";
    public const string JobDeleted = "job.deleted";
    public const string JobKindPaused = "job_kind.paused";
    public const string JobKindResumed = "job_kind.resumed";
    public const string JobKindReplayed = "job_kind.replayed";
    public const string ScheduleRun = "schedule.run";
    public const string SchedulePaused = "schedule.paused";
    public const string ScheduleResumed = "schedule.resumed";
    public const string CacheInvalidated = "cache.invalidated";
    public const string CacheWarmed = "cache.warmed";
    public const string CacheLifetimesReset = "cache.lifetimes_reset";
    public const string PerformanceOptimized = "installation.performance_optimized";
    public const string ProfileTaken = "installation.profile_taken";
    public const string DashboardAnalyticsBroadcast = "dashboard.analytics_broadcast";
    public const string DashboardActivityBroadcast = "dashboard.activity_broadcast";
    public const string DashboardAlertBroadcast = "dashboard.alert_broadcast";
    public const string DashboardTested = "dashboard.tested";
    public const string InstallationSetUp = "installation.set_up";
    public const string DemoAdded = "installation.demo_added";

    public const string OrganizationCreated = "organization.created";
    public const string OrganizationUpdated = "organization.updated";
    public const string OrganizationDeleted = "organization.deleted";
    public const string OrganizationRestored = "organization.restored";
    public const string OrganizationExported = "organization.exported";
    public const string OrganizationExportStarted = "organization.export_started";
    public const string OrganizationExportDownloaded = "organization.export_downloaded";
    public const string OrganizationExportDeleted = "organization.export_deleted";
    public const string OrganizationImported = "organization.imported";
    public const string TeamMemberInvited = "team_member.invited";
    public const string InvitationResent = "invitation.resent";
    public const string InvitationRevoked = "invitation.revoked";
    public const string TeamMemberAdded = "team_member.added";
    public const string InvitationJoined = "invitation.joined";
    public const string TeamMemberUpdated = "team_member.updated";
    public const string TeamMemberRemoved = "team_member.removed";
    public const string TeamMemberLeft = "team_member.left";
    public const string ProjectCreated = "project.created";
    public const string ProjectUpdated = "project.updated";
    public const string ProjectDeleted = "project.deleted";
    public const string ProjectRestored = "project.restored";
    public const string ProjectExported = "project.exported";
    public const string ProjectExportStarted = "project.export_started";
    public const string ProjectExportDownloaded = "project.export_downloaded";
    public const string ProjectExportDeleted = "project.export_deleted";
    public const string ProjectImported = "project.imported";
    public const string ApiKeyCreated = "api_key.created";
    public const string ApiKeyImported = "api_key.imported";
    public const string ApiKeyRotated = "api_key.rotated";
    public const string ApiKeyRevoked = "api_key.revoked";
    public const string ApiKeyRegenerated = "api_key.regenerated";
    public const string AuditExported = "audit.exported";
    public const string WebhookCreated = "webhook.created";
    public const string WebhookUpdated = "webhook.updated";
    public const string WebhookDeleted = "webhook.deleted";
    public const string WebhookEnabled = "webhook.enabled";
    public const string WebhookSecretRotated = "webhook.secret_rotated";
    public const string WebhookTested = "webhook.tested";
    public const string WebhookReplayed = "webhook.replayed";
    public const string WebhookDeliveryRetried = "webhook.delivery_retried";
    public const string TrackerPeerRemoved = "tracker.peer_removed";
    public const string TrackerFileRemoved = "tracker.file_removed";
    public const string RoomCreated = "room.created";
    public const string RoomDeleted = "room.deleted";
    public const string RoomLocked = "room.locked";
    public const string RoomUnlocked = "room.unlocked";
    public const string RoomParticipantRemoved = "room.participant_removed";
    public const string RoomParticipantReadmitted = "room.participant_readmitted";
    public const string RoomRecordingStarted = "room.recording_started";
    public const string RoomRecordingStopped = "room.recording_stopped";

    public static readonly IReadOnlyList<AuditAction> All =
    [
        new(AccountRegistered, "account", "Somebody registered an account."),
        new(AccountCreated, "account", "An administrator created an account."),
        new(AccountDisabled, "account", "An account was kept out; its sessions ended."),
        new(AccountEnabled, "account", "An account was let in again."),
        new(AccountRoleChanged, "account", "An account got another role in the installation."),
        new(AccountProfileUpdated, "account", "A person changed their profile."),
        new(AccountPasswordChanged, "account", "A person chose another password."),
        new(AccountEmailVerified, "account", "An address was proved by its mailed link."),
        new(AccountVerificationResent, "account", "Another verification mail was asked for."),
        new(PasswordResetRequested, "account", "A reset link was asked for."),
        new(PasswordResetCompleted, "account", "A password was set by a mailed link."),
        new(SessionStarted, "account", "Somebody signed in, or tried to."),
        new(SessionStartedByEmailCode, "account", "Somebody signed in with a mailed code, or tried to."),
        new(SessionSignedOut, "account", "A person signed out."),
        new(SessionSignedOutEverywhere, "account", "A person ended all of their sessions."),
        new(SessionRevoked, "session", "A person ended one of their sessions."),
        new(EmailCodeRequested, "account", "A sign-in code was asked for."),
        new(TwoFactorSetUp, "account", "A second factor was prepared."),
        new(TwoFactorEnabled, "account", "Two-factor sign-in was turned on."),
        new(TwoFactorDisabled, "account", "Two-factor sign-in was turned off."),
        new(TwoFactorVerified, "account", "A sign-in was completed with a second factor, or tried to be."),
        new(BackupCodesRegenerated, "account", "New backup codes replaced the old ones."),
        new(SigningKeyRotated, "installation", "Access tokens are signed with a new key."),
        new(AuditKeyRotated, "installation", "The trail is signed with a new key."),
        new(InstallationAuditExported, "installation", "The installation's own trail was exported."),
        new(JobRetried, "job", "A job was run again by hand."),
        new(JobDeleted, "job", "A job was removed before it was done."),
        new(JobKindPaused, "job_kind", "No more jobs of a kind were begun."),
        new(JobKindResumed, "job_kind", "Jobs of a paused kind were begun again."),
        new(JobKindReplayed, "job_kind", "Jobs of a kind that were given up were run again."),
        new(ScheduleRun, "schedule", "A schedule was run out of its time."),
        new(SchedulePaused, "schedule", "A schedule was paused."),
        new(ScheduleResumed, "schedule", "A paused schedule ticks again."),
        new(CacheInvalidated, "installation", "Kept answers were forgotten by hand."),
        new(CacheWarmed, "installation", "Somebody asked to read ahead what was asked for last."),
        new(CacheLifetimesReset, "installation", "Answers are kept for as long as is usual again."),
        new(PerformanceOptimized, "installation", "Performance was examined, and what is safe was done about it."),
        new(ProfileTaken, "installation", "A profile of a running server was taken."),
        new(DashboardAnalyticsBroadcast, "dashboard", "An administrator sent numbers to those who watch dashboards."),
        new(DashboardActivityBroadcast, "dashboard", "An administrator told those who watch dashboards what somebody did."),
        new(DashboardAlertBroadcast, "dashboard", "An administrator sent an alert to those who watch dashboards."),
        new(DashboardTested, "dashboard", "An administrator sent a test to those who watch dashboards."),
        new(InstallationSetUp, "account", "The first administrator was created."),
        new(DemoAdded, "installation", "People and a school to play with were added."),
        new(OrganizationCreated, "organization", "An organization was founded."),
        new(OrganizationUpdated, "organization", "Its name, plan or retention changed."),
        new(OrganizationDeleted, "organization", "It was deleted; its keys ended at once."),
        new(OrganizationRestored, "organization", "Its deletion was undone."),
        new(OrganizationExported, "organization", "Its archive was taken."),
        new(OrganizationExportStarted, "organization", "Its archive was asked for, to be made in the background."),
        new(OrganizationExportDownloaded, "organization", "An archive that was made in the background was taken."),
        new(OrganizationExportDeleted, "organization", "An archive that was made in the background was removed."),
        new(OrganizationImported, "organization", "It was restored from an archive."),
        new(TeamMemberInvited, "invitation", "Somebody was asked to join."),
        new(InvitationResent, "invitation", "An invitation was sent again, with a new token and seven more days."),
        new(InvitationRevoked, "invitation", "An invitation was taken back."),
        new(TeamMemberAdded, "member", "An invitation was accepted."),
        new(InvitationJoined, "member", "An invitation was accepted by somebody who was not signed in."),
        new(TeamMemberUpdated, "member", "A member got another role."),
        new(TeamMemberRemoved, "member", "A member was removed."),
        new(TeamMemberLeft, "member", "A member left."),
        new(ProjectCreated, "project", "A project was created, with its pair of keys."),
        new(ProjectUpdated, "project", "Its settings changed."),
        new(ProjectDeleted, "project", "It was deleted; its keys ended at once."),
        new(ProjectRestored, "project", "Its deletion was undone."),
        new(ProjectExported, "project", "Its archive was taken."),
        new(ProjectExportStarted, "project", "Its archive was asked for, to be made in the background."),
        new(ProjectExportDownloaded, "project", "An archive that was made in the background was taken."),
        new(ProjectExportDeleted, "project", "An archive that was made in the background was removed."),
        new(ProjectImported, "project", "It was restored from an archive."),
        new(ApiKeyCreated, "api_key", "A key was made."),
        new(ApiKeyImported, "api_key", "A key of the older control plane was brought along."),
        new(ApiKeyRotated, "api_key", "A key got a successor and ends with the overlap."),
        new(ApiKeyRevoked, "api_key", "A key was ended."),
        new(ApiKeyRegenerated, "project", "The pair of a project got its successors."),
        new(AuditExported, "organization", "The trail was exported."),
        new(WebhookCreated, "webhook", "An address was added that events are sent to."),
        new(WebhookUpdated, "webhook", "Its settings changed, or it was switched on or off."),
        new(WebhookDeleted, "webhook", "It was removed, with what waited for it."),
        new(WebhookEnabled, "webhook", "It was enabled after VTP had disabled it."),
        new(WebhookSecretRotated, "webhook", "It signs with a new secret."),
        new(WebhookTested, "webhook", "A test was sent to it."),
        new(WebhookReplayed, "webhook", "Events were sent to it again."),
        new(WebhookDeliveryRetried, "webhook", "One delivery was sent again."),
        new(TrackerPeerRemoved, "peer", "An administrator put a peer out of all swarms; its id is the target's name."),
        new(TrackerFileRemoved, "file", "An administrator took a file out of the tracker; its hash is the target's name."),
        new(RoomCreated, "room", "A live room was created, which stays when it is empty."),
        new(RoomDeleted, "room", "A live room was deleted, and who was in it sent out."),
        new(RoomLocked, "room", "A live room was locked: only its hosts come in."),
        new(RoomUnlocked, "room", "A live room was opened again."),
        new(RoomParticipantRemoved, "room", "Somebody was sent out of a live room, to stay out."),
        new(RoomParticipantReadmitted, "room", "Somebody who was sent out of a live room may come in again."),
        new(RoomRecordingStarted, "recording", "A live room is being recorded; its id is the target's name."),
        new(RoomRecordingStopped, "recording", "Somebody ended the recording of a live room."),
    ];

    private static readonly Dictionary<string, AuditAction> ByName = All.ToDictionary(action => action.Name, StringComparer.Ordinal);

    public static AuditAction Of(string name) => ByName[name];

    /// <summary>Of any name, also one that only a newer version knows, or nobody.</summary>
    public static string ResourceOf(string name) => ByName.TryGetValue(name, out var action) ? action.Resource : name.Split('.', 2)[0];

    public static IReadOnlyList<string> On(string resource) => [.. All.Where(action => action.Resource == resource).Select(action => action.Name)];
}
