using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Profiling;

public static class ProfileRules
{
    public const int LongestSeconds = 60;
    public const int UsualSeconds = 5;

    /// <summary>What a kind can be had as, the usual one first.</summary>
    public static IReadOnlyList<ProfileFormat> FormatsOf(ProfileKind kind) => kind switch
    {
        ProfileKind.Cpu => [ProfileFormat.Speedscope, ProfileFormat.Json, ProfileFormat.Nettrace],
        ProfileKind.Allocations => [ProfileFormat.Json, ProfileFormat.Speedscope, ProfileFormat.Nettrace],
        ProfileKind.Contention => [ProfileFormat.Json, ProfileFormat.Speedscope, ProfileFormat.Nettrace],
        ProfileKind.Trace => [ProfileFormat.Nettrace],
        _ => [ProfileFormat.Json, ProfileFormat.Nettrace],
    };
}

public static class ProfileRefusals
{
    public static readonly Refusal Running = new(RefusalKind.Conflict, "profile.running", "A profile of this node is being taken. Try again when it has ended.");

    public static readonly Refusal Unavailable =
        new(RefusalKind.Busy, "profile.unavailable", "This process does not let itself be diagnosed: DOTNET_EnableDiagnostics is 0, or its temporary folder is full.");
}
