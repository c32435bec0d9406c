using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Application.Tenancy.Invitations;
using Vtp.Application.Tenancy.Members;
using Vtp.Domain.Tenancy.Invitations;
using Vtp.Domain.Tenancy.Members;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Vtp.Api.Endpoints.Tenancy;

internal static class TeamEndpoints
{
    public static void MapTeam(this IEndpointRouteBuilder api)
    {
        var members = api.MapGroup("/organizations/{id:guid}/members").WithTags("Team");
        members.MapGet("", ListMembers).Runs<ListMembersQuery>("List members");
        members.MapPost("", InviteMember).Runs<InviteMemberCommand>("Invite somebody", Status409Conflict);
        members.MapGet("/{user_id:guid}", GetMember).Runs<GetMemberQuery>("Read a member");
        members.MapDelete("/{user_id:guid}", RemoveMember).Runs<RemoveMemberCommand>("Remove a member", Status409Conflict);
        api.MapPost("/organizations/{id:guid}/leave", Leave).WithTags("Team").Runs<LeaveOrganizationCommand>("Leave an organization", Status409Conflict);
        members.MapPut("/{user_id:guid}/role", ChangeRole).Runs<ChangeMemberRoleCommand>("Change a member's role", Status409Conflict);

        var invitations = api.MapGroup("/organizations/{id:guid}/invitations").WithTags("Team");
        invitations.MapGet("", ListInvitations).Runs<ListInvitationsQuery>("List invitations");
        invitations.MapPost("/{invitation_id:guid}/resend", Resend).Runs<ResendInvitationCommand>("Send an invitation again", Status409Conflict);
        invitations.MapDelete("/{invitation_id:guid}", Revoke).Runs<RevokeInvitationCommand>("Take an invitation back", Status409Conflict);
        api.MapPost("/invitations/verify", Verify).WithTags("Team")
            .Runs<VerifyInvitationQuery>("See what an invitation is for", Status404NotFound, Status409Conflict);
        api.MapPost("/invitations/join", Join).WithTags("Team")
            .Runs<JoinByInvitationCommand>(
                "Join by a mailed token without being signed in", Status401Unauthorized, Status403Forbidden, Status404NotFound, Status409Conflict, Status503ServiceUnavailable);
        api.MapPost("/invitations/accept", Accept).WithTags("Team")
            .Runs<AcceptInvitationCommand>("Join by a mailed token", Status404NotFound, Status409Conflict);
    }

    private static async Task<Results<Ok<Page<MemberView>>, RefusedHttpResult>> ListMembers(
        Guid id, string? search, Word<MemberRole>? role, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListMembersQuery(id, search, role?.Value, page, limit), ct)).ToHttp();

    private static async Task<Results<Created<MemberInvited>, RefusedHttpResult>> InviteMember(
        Guid id, InviteMemberCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id }, ct)).ToCreated(_ => $"/api/v1/organizations/{id}/invitations");

    private static async Task<Results<Ok<MemberView>, RefusedHttpResult>> GetMember(
        Guid id, [FromRoute(Name = "user_id")] Guid userId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetMemberQuery(id, userId), ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> RemoveMember(
        Guid id, [FromRoute(Name = "user_id")] Guid userId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RemoveMemberCommand(id, userId), ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Leave(Guid id, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new LeaveOrganizationCommand(id), ct)).ToHttp();

    private static async Task<Results<Ok<MemberChanged>, RefusedHttpResult>> ChangeRole(
        Guid id, [FromRoute(Name = "user_id")] Guid userId, ChangeMemberRoleCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command with { Id = id, UserId = userId }, ct)).ToHttp();

    private static async Task<Results<Ok<Page<InvitationView>>, RefusedHttpResult>> ListInvitations(
        Guid id, Word<InvitationStatus>? status, int? page, int? limit, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListInvitationsQuery(id, status?.Value, page, limit), ct)).ToHttp();

    private static async Task<Results<Ok<MemberInvited>, RefusedHttpResult>> Resend(
        Guid id, [FromRoute(Name = "invitation_id")] Guid invitationId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ResendInvitationCommand(id, invitationId), ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Revoke(
        Guid id, [FromRoute(Name = "invitation_id")] Guid invitationId, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new RevokeInvitationCommand(id, invitationId), ct)).ToHttp();

    private static async Task<Results<Ok<InvitationVerified>, RefusedHttpResult>> Verify(
        VerifyInvitationQuery query, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(query, ct)).ToHttp();

    private static async Task<Results<Ok<Message>, RefusedHttpResult>> Join(
        JoinByInvitationCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();

    private static async Task<Results<Ok<MemberChanged>, RefusedHttpResult>> Accept(
        AcceptInvitationCommand command, IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(command, ct)).ToHttp();
}
