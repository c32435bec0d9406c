using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>
/// What older clients answer to a <c>ping</c>. Nothing depends on it: whether a client lives, its connection tells, and
/// browsers' own clients know no answer.
/// </summary>
/// <param name="ClientId">Of the stream, as <c>connected</c> told it.</param>
[Requires(Permission.SignedIn)]
public sealed record AnswerStreamPingCommand(string? ClientId) : ICommand<StreamPingAnswered>;

/// <param name="Success">Always true; a refusal is a problem.</param>
public sealed record StreamPingAnswered(bool Success, string Message, DateTimeOffset Timestamp);

internal sealed class AnswerStreamPingValidator : AbstractValidator<AnswerStreamPingCommand>
{
    public AnswerStreamPingValidator() => RuleFor(command => command.ClientId).NotEmpty().MaximumLength(100);
}

internal sealed class AnswerStreamPingHandler(TimeProvider clock) : IRequestHandler<AnswerStreamPingCommand, Result<StreamPingAnswered>>
{
    public Task<Result<StreamPingAnswered>> Handle(AnswerStreamPingCommand request, CancellationToken cancellationToken) =>
        Task.FromResult<Result<StreamPingAnswered>>(new StreamPingAnswered(true, "Heard.", clock.GetUtcNow()));
}
