using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Identity;
using Vtp.Domain.Common;
using Vtp.Domain.Rooms.Signaling;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Rooms.Signaling;

/// <summary>A socket takes a place in a room; the first one makes it. Who they are comes from their credential, whatever else is sent.</summary>
/// <param name="SocketId">Set by the server.</param>
/// <param name="RoomId">1 to 128 characters.</param>
/// <param name="RoomName">For people; of a room that begins now.</param>
/// <param name="UserId">Need not be sent; it must be the caller's own.</param>
/// <param name="FullName">How others see them; the account's when absent.</param>
/// <param name="IsProducer">They are going to send.</param>
/// <param name="OrgId">Whose room it is; the caller's only organization when absent.</param>
[Requires(Permission.SignedIn)]
[OpenToKeys(KeyScopes.RoomsWrite)]
[RateLimited(RateLimitPolicies.SignalingJoin)]
public sealed record JoinRoomCommand(
    [property: JsonIgnore] string SocketId, string? RoomId, string? RoomName, string? UserId, string? FullName, bool? IsProducer, Guid? OrgId) : ICommand<RoomJoined>;

public sealed record RoomJoined(LiveRoom Room, Participant Participant, bool IsStaff);

internal sealed class JoinRoomValidator : AbstractValidator<JoinRoomCommand>
{
    public const int MaximumName = 100;

    public JoinRoomValidator()
    {
        RuleFor(command => command.RoomId).IsRoomId();
        RuleFor(command => command.RoomName).IsRoomName();
        RuleFor(command => command.FullName).MaximumLength(MaximumName)
            .Must(name => name is null || RoomKey.IsShown(name)).WithMessage("A name has no control characters.");
    }
}

internal static class RoomRules
{
    public static IRuleBuilderOptions<T, string?> IsRoomId<T>(this IRuleBuilder<T, string?> id) =>
        id.Must(RoomKey.IsId).WithMessage($"A room's id has 1 to {RoomKey.MaximumIdLength} characters, and no control characters.");

    public static IRuleBuilderOptions<T, string?> IsRoomName<T>(this IRuleBuilder<T, string?> name) => name.MaximumLength(RoomKey.MaximumNameLength)
        .Must(text => text is null || RoomKey.IsShown(text)).WithMessage("A name has no control characters.");
}

internal sealed class JoinRoomHandler(
    RoomCallers callers, ICaller caller, IProfiles profiles, ISignalingRooms rooms, SignalingOptions options, TimeProvider clock) : IRequestHandler<JoinRoomCommand, Result<RoomJoined>>
{
    public async Task<Result<RoomJoined>> Handle(JoinRoomCommand request, CancellationToken cancellationToken)
    {
        if (!(await callers.FindAsync(request.OrgId, cancellationToken)).TryGet(out var who, out var unknown))
        {
            return unknown;
        }

        if (!string.IsNullOrEmpty(request.UserId) && !string.Equals(request.UserId, who.Id.ToString(), StringComparison.OrdinalIgnoreCase))
        {
            return RoomRefusals.IdentityDiffers;
        }

        var now = clock.GetUtcNow();
        var mayOpen = who.IsStaff || (options.StudentsOpenRooms && caller.SignedIn is not null);
        var fresh = mayOpen ? new NewRoom(Uuid.NewVersion7(now), Named(request), who.Id, now, options.MaximumParticipants, IsKept: false) : null;
        var entry = new RoomEntry(new RoomKey(who.Organization, request.RoomId!), request.SocketId, who.Id, who.IsStaff, IsReturn: false, fresh);
        if (!(await rooms.EnterAsync(entry, cancellationToken)).TryGet(out var room, out var refusal))
        {
            return refusal == RoomRefusals.NotFound ? RoomRefusals.OpenedByStaff : refusal;
        }

        var (email, name) = ("", caller.Key?.Name);
        if (caller.SignedIn is { } person && await profiles.FindAsync(person.AccountId, cancellationToken) is { } profile)
        {
            (email, name) = (profile.Email, profile.FullName);
        }

        var shown = string.IsNullOrWhiteSpace(request.FullName) ? name ?? "" : request.FullName.Trim();
        return new RoomJoined(
            room,
            new Participant(request.SocketId, who.Id, email, shown, who.Role, request.IsProducer == true, who.IsHostOf(room), now.ToUnixTimeSeconds()),
            who.IsStaff);
    }

    private static string Named(JoinRoomCommand request) => string.IsNullOrWhiteSpace(request.RoomName) ? request.RoomId! : request.RoomName.Trim();
}
