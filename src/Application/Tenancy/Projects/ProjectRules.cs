using FluentValidation;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Tenancy.Projects;

internal static class ProjectRules
{
    private const int MaximumPart = 255;

    public static IRuleBuilderOptions<T, StorageConfig?> IsStorageConfig<T>(this IRuleBuilder<T, StorageConfig?> rule) =>
        rule.Must(config => config is null || (!string.IsNullOrWhiteSpace(config.Provider) && !string.IsNullOrWhiteSpace(config.Bucket)))
            .WithMessage("A storage_config has a provider and a bucket.")
            .Must(config => config is null || new[] { config.Provider, config.Bucket, config.AccessKeyId, config.Region }.All(part => part is null or { Length: <= MaximumPart }))
            .WithMessage($"Each part of a storage_config has at most {MaximumPart} characters.");

    public static string? NullIfEmpty(this string? text) => string.IsNullOrEmpty(text) ? null : text;
}

/// <summary>What clients of rooms connect to: configuration, <c>LiveKit__Url</c>.</summary>
public sealed record LiveKitAddress(string? Url);
