using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;

namespace Vtp.Application.Operations.Cache;

/// <summary>Forgets answers on all nodes and in Redis; they are asked for again. One of the three.</summary>
/// <param name="Key">One answer.</param>
/// <param name="Tag">All that were kept under it; <c>*</c> for everything.</param>
/// <param name="Prefix">All whose keys begin with it, up to a colon: <c>project</c>, or <c>project:</c> and an organization.</param>
[Requires(Permission.Operate)]
[Audited(AuditActions.CacheInvalidated)]
public sealed record InvalidateCacheCommand(string? Key, string? Tag, string? Prefix) : ICommand<Done>;

internal sealed class InvalidateCacheValidator : AbstractValidator<InvalidateCacheCommand>
{
    public InvalidateCacheValidator()
    {
        RuleFor(command => command.Key).MaximumLength(CacheKey.MaximumLength);
        RuleFor(command => command.Tag).MaximumLength(CacheKey.MaximumLength);
        RuleFor(command => command.Prefix).MaximumLength(CacheKey.MaximumLength)
            .Must((command, _) => new[] { command.Key, command.Tag, command.Prefix }.Count(one => !string.IsNullOrEmpty(one)) == 1)
            .WithMessage("Send one of key, tag and prefix.");
    }
}

internal sealed class InvalidateCacheHandler(ICacheAdministration cache, AuditSubject audit) : IRequestHandler<InvalidateCacheCommand, Result<Done>>
{
    public async Task<Result<Done>> Handle(InvalidateCacheCommand request, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrEmpty(request.Tag))
        {
            audit.TargetName = $"tag {request.Tag}";
            await cache.RemoveTagAsync(request.Tag);
        }
        else
        {
            var keys = string.IsNullOrEmpty(request.Key) ? request.Prefix! : request.Key;
            audit.TargetName = $"keys {keys}";
            await cache.RemoveKeysAsync(keys.TrimEnd(':'));
        }

        return Done.Value;
    }
}
