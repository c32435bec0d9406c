using System.Text.Json;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>Narrows one of the caller's streams, on whichever node it is, until it ends. Filters in its address hold when it comes back, too.</summary>
/// <param name="ClientId">Of the stream, as <c>connected</c> told it. What is unknown is nobody's, and nothing happens.</param>
/// <param name="Filters">Its fields take the place of those before; null takes one away.</param>
[Requires(Permission.SignedIn)]
public sealed record SetStreamFiltersCommand(string? ClientId, JsonElement? Filters) : ICommand<StreamFiltersSet>;

/// <param name="Success">Always true; a refusal is a problem.</param>
/// <param name="Filters">As they were sent.</param>
public sealed record StreamFiltersSet(bool Success, string Message, JsonElement Filters);

internal sealed class SetStreamFiltersValidator : AbstractValidator<SetStreamFiltersCommand>
{
    public SetStreamFiltersValidator()
    {
        RuleFor(command => command.ClientId).NotEmpty().MaximumLength(100);
        RuleFor(command => command.Filters).NotNull().IsObject();
    }
}

internal sealed class SetStreamFiltersHandler(ITopics topics, ICaller caller) : IRequestHandler<SetStreamFiltersCommand, Result<StreamFiltersSet>>
{
    public Task<Result<StreamFiltersSet>> Handle(SetStreamFiltersCommand request, CancellationToken cancellationToken)
    {
        var asked = request.Filters!.Value;
        if (!DashboardFilter.None.With(asked).TryGet(out _, out var refusal))
        {
            return Task.FromResult<Result<StreamFiltersSet>>(refusal);
        }

        var told = new StreamFilters(request.ClientId!, caller.Required().AccountId.Value, asked);
        topics.Send(new Publication(DashboardMessages.ControlTopic, "filters", JsonSerializer.SerializeToUtf8Bytes(told, DashboardMessages.Json)));
        return Task.FromResult<Result<StreamFiltersSet>>(new StreamFiltersSet(true, "The filters hold.", asked));
    }
}
