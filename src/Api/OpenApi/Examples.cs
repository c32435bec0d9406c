using System.Text.Json;
using System.Text.Json.Nodes;
using Vtp.Api.Http;
using Vtp.Application.Identity.Accounts;
using Vtp.Application.Identity.Administration;
using Vtp.Application.Identity.EmailVerification;
using Vtp.Application.Identity.PasswordReset;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Identity.TwoFactor;
using Vtp.Application.Operations.Cache;
using Vtp.Application.Operations.Jobs;
using Vtp.Application.Operations.Performance;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Application.Rooms.Signaling;
using Vtp.Application.Tenancy.ApiKeys;
using Vtp.Application.Tenancy.Invitations;
using Vtp.Application.Tenancy.Members;
using Vtp.Application.Tenancy.Organizations;
using Vtp.Application.Tenancy.Projects;
using Vtp.Application.Tracker.Files;
using Vtp.Application.Tracker.Peers;
using Vtp.Application.Webhooks.Endpoints;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Realtime;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;
using Vtp.Domain.Tracker;
using Vtp.Domain.Webhooks;

namespace Vtp.Api.OpenApi;

/// <summary>One body for every operation that takes one. A test holds each against its validator.</summary>
internal static class Examples
{
    private const string Email = "noor@school.example";
    private const string Password = "correct horse battery";
    private const string OtherPassword = "a staple for the battery";
    private const string Token = "q1fG9mZy0pX3cV7nB2kT5wY8rD4sH6jL0aE1uI3oP5Q";

    private const string StreamId = "sse_1795294800000_5f0c1d9e8b7a6c34";

    private const string PeerId = "0f8fad5b-d9cb-469f-a165-70867728950e";

    private static readonly ContentHash LessonHash = ContentHash.Of("Good morning"u8);
    private static readonly string Lesson = LessonHash.ToString();
    private static readonly DateTimeOffset Soon = new(2099, 12, 31, 0, 0, 0, TimeSpan.Zero);
    private static readonly StorageConfig Storage = new("s3", "school-recordings", "AKIAEXAMPLE", "eu-central-1");

    public static readonly IReadOnlyList<object> All =
    [
        new RegisterAccountCommand(Email, Password, "Noor Haddad", Role.Student, "+963 11 555 0100"),
        new UpdateProfileCommand("Noor Haddad", Phone: null, "ar-SY"),
        new ChangePasswordCommand(Password, OtherPassword),
        new VerifyEmailCommand(Token),
        new ResendVerificationCommand(Email),
        new RequestPasswordResetCommand(Email),
        new VerifyResetTokenCommand(Token),
        new ResetPasswordCommand(Token, OtherPassword),
        new SignInCommand(Email, Password, Code: null),
        new RequestEmailCodeCommand(Email),
        new SignInWithEmailCodeCommand(Email, "402893"),
        new RefreshSessionCommand(Token),
        new AnswerStreamPingCommand(StreamId),
        new SetStreamFiltersCommand(StreamId, JsonElement.Parse("{\"levels\":[\"error\",\"critical\"]}")),
        new BroadcastAnalyticsCommand("goal_completion", JsonElement.Parse("{\"count\":12}"), Metadata: null),
        new BroadcastUserActivityCommand(new Guid("0193b1de-7c4a-7a2e-8f3b-2d5c6e7f8091"), "completed_goal", JsonElement.Parse("{\"goal\":\"Lesson 3\"}")),
        new BroadcastSystemAlertCommand(AlertLevel.Warning, "The server is renewed at 22:00 UTC.", "maintenance", Metadata: null, OrgId: null),
        new SetUpTwoFactorCommand(Password),
        new EnableTwoFactorCommand("402893"),
        new VerifyTwoFactorCommand(Token, "402893"),
        new DisableTwoFactorCommand(Password, "402893"),
        new RegenerateBackupCodesCommand(Password),
        new CreateFirstAdministratorCommand(Token, Email, "Noor Haddad", Password),
        new CreateUserCommand("tariq@school.example", "Tariq Haddad", Role.Teacher, Phone: null, Password: null),
        new ChangeUserRoleCommand(default, Role.Teacher),
        new InvalidateCacheCommand(Key: null, Tag: null, Prefix: "project"),
        new OptimizePerformanceCommand(Apply: false),
        new CreateOrganizationCommand("Haddad School", "office@school.example", Plan.Free),
        new UpdateOrganizationCommand(default, "Haddad School", Plan.Pro, AuditRetentionDays: 365),
        new InviteMemberCommand(default, "tariq@school.example", "Tariq Haddad", MemberRole.Developer),
        new ChangeMemberRoleCommand(default, default, MemberRole.Admin),
        new AcceptInvitationCommand(Token),
        new VerifyInvitationQuery(Token),
        new JoinByInvitationCommand(Token, Password, "Tariq Haddad"),
        new CreateProjectCommand(default, "Evening classes", Region.EuCentral, "https://school.example/hooks/vtp", Storage),
        new UpdateProjectCommand(
            default, "Evening classes", "https://school.example/hooks/vtp", Storage, ChatEnabled: true, VideoEnabled: true, ActivityFeedEnabled: false, ModerationEnabled: false),
        new RegenerateProjectKeysCommand(default, OverlapHours: 24),
        new CreateApiKeyCommand(
            default, "Nightly reports", [KeyScopes.AuditRead], ApiKeyKind.Secret, ApiKeyEnvironment.Live, TrackerRole.Guest, Soon, ["192.0.2.0/24"]),
        new ImportApiKeyCommand(default, "pulse_key_0f8fad5bd9cb469fa16570867728950e", "Old control plane", [KeyScopes.All], Soon),
        new RotateApiKeyCommand(default, default, OverlapHours: 24),
        new CreateWebhookCommand(
            default,
            "https://school.example/hooks/vtp",
            "Timetable",
            ["project.*", "api_key.revoked"],
            WebhookPayload.Full,
            WebhookOrdering.None,
            WebhookSignatureKind.V1,
            SignsBody: false,
            [5, 300, 1800]),
        new UpdateWebhookCommand(
            default, default, "https://school.example/hooks/vtp", "Timetable", ["project.*"], WebhookPayload.Thin, WebhookOrdering.Subject, SignsBody: false, [5, 300, 1800], Enabled: true),
        new RotateWebhookSecretCommand(default, default, OverlapHours: 24),
        new ReplayWebhookCommand(default, default, new DateTimeOffset(2026, 11, 20, 9, 0, 0, TimeSpan.Zero), To: null, ["project.*"], ReplayedDeliveries.Failed),
        new CreateRoomCommand("algebra-4b", "Algebra, class 4b", OrgId: null, MaxParticipants: 30),
        new ReplayJobsCommand("email.send", Limit: 1000),
        new LogInPeerCommand(PeerId, "classroom-4", "vtp_pk_live_0000000000000000000000000000000000"),
        new RegisterPeerCommand(PeerId, "192.0.2.17", 6881, "classroom-4"),
        new SendHeartbeatCommand(PeerId, [Lesson]),
        new ReportTrafficCommand(PeerId, 10_485_760, 262_144),
        new AnnounceFileCommand(PeerId, new AnnouncedFile("lesson.mp4", 12, Lesson, 262_144, [new AnnouncedChunk(0, LessonHash, 12)], Lesson)),
    ];

    private static readonly Dictionary<Type, object> ByUseCase = All.ToDictionary(example => example.GetType());

    public static JsonNode? Of(Type useCase)
    {
        if (!ByUseCase.TryGetValue(useCase, out var example))
        {
            return null;
        }

        var body = JsonSerializer.SerializeToNode(example, useCase, Json.Options)!.AsObject();
        foreach (var absent in body.Where(field => field.Value is null).ToList())
        {
            body.Remove(absent.Key);
        }

        return body;
    }
}
