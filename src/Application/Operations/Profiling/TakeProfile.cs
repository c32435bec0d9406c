using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Profiling;

/// <summary>What can be recorded of the running process.</summary>
public enum ProfileKind
{
    /// <summary>Which methods run: a thousand samples a second of every thread.</summary>
    Cpu,

    /// <summary>What lives on the managed heap, by type. Collects garbage first, and everything stands still meanwhile.</summary>
    Heap,

    /// <summary>Every managed thread and where it is.</summary>
    Threads,

    /// <summary>Where threads wait for locks, and for how long.</summary>
    Contention,

    /// <summary>What is allocated and where, of each 100 KB the object that crossed it.</summary>
    Allocations,

    /// <summary>All that the runtime says of collections, the pool, exceptions, locks and the JIT, with CPU samples.</summary>
    Trace,
}

public enum ProfileFormat
{
    /// <summary>What was found, summed up.</summary>
    Json,

    /// <summary>For https://www.speedscope.app.</summary>
    Speedscope,

    /// <summary>As it was recorded, for PerfView, Visual Studio and dotnet-trace.</summary>
    Nettrace,
}

/// <summary>
/// Records the node that answers for a while, one recording at a time. Types, methods and file names are in it; values of
/// variables are not, but for a trace, which has messages of exceptions.
/// </summary>
/// <param name="Seconds">1 to 60; 5 when absent. A heap is recorded until it is whole, and threads for a moment.</param>
/// <param name="Format">What the kind has; its first when absent.</param>
[Requires(Permission.Operate)]
[Audited(AuditActions.ProfileTaken)]
public sealed record TakeProfileCommand(ProfileKind Kind, int? Seconds, ProfileFormat? Format) : ICommand<Profile>;

/// <param name="Content">For its reader to close.</param>
public sealed record Profile(string FileName, string ContentType, Stream Content);

/// <summary>Records this process. It can do so once at a time.</summary>
public interface IProfiler
{
    Task<Result<Profile>> TakeAsync(ProfileKind kind, ProfileFormat format, TimeSpan duration, CancellationToken cancellationToken);
}

internal sealed class TakeProfileValidator : AbstractValidator<TakeProfileCommand>
{
    public TakeProfileValidator()
    {
        RuleFor(command => command.Seconds).InclusiveBetween(1, ProfileRules.LongestSeconds);
        RuleFor(command => command.Format)
            .Must((command, format) => format is not { } asked || ProfileRules.FormatsOf(command.Kind).Contains(asked))
            .WithMessage("There is no profile of this kind in this format.");
    }
}

internal sealed class TakeProfileHandler(IProfiler profiler, AuditSubject audit) : IRequestHandler<TakeProfileCommand, Result<Profile>>
{
    public Task<Result<Profile>> Handle(TakeProfileCommand request, CancellationToken cancellationToken)
    {
        audit.TargetName = request.Kind.ToString().ToLowerInvariant();
        return profiler.TakeAsync(
            request.Kind,
            request.Format ?? ProfileRules.FormatsOf(request.Kind)[0],
            TimeSpan.FromSeconds(request.Seconds ?? ProfileRules.UsualSeconds),
            cancellationToken);
    }
}
