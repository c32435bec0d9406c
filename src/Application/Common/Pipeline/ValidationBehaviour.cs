using System.Text.Json;
using FluentValidation;
using FluentValidation.Results;
using MediatR;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>Refuses what cannot be right by its shape alone, naming each field as the client wrote it.</summary>
internal sealed class ValidationBehaviour<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        List<ValidationFailure>? failures = null;
        foreach (var validator in validators)
        {
            if (validator.Validate(request) is { IsValid: false } result)
            {
                (failures ??= []).AddRange(result.Errors);
            }
        }

        return failures is null ? next() : Task.FromResult(TResponse.Refused(Refusal.Invalid(ByField(failures))));
    }

    private static Dictionary<string, string[]> ByField(List<ValidationFailure> failures) => failures
        .GroupBy(failure => JsonNamingPolicy.SnakeCaseLower.ConvertName(failure.PropertyName), StringComparer.Ordinal)
        .ToDictionary(field => field.Key, field => field.Select(failure => failure.ErrorMessage).Distinct(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
}
