using FluentValidation;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Application.Tenancy;

/// <summary>What fields look like wherever they occur.</summary>
internal static class TenancyRules
{
    public const int MinimumName = 3;
    public const int MaximumName = 100;
    public const int MaximumScopes = 50;
    public const int MaximumCidrs = 50;

    private const int MaximumUrl = 2048;
    private const int MaximumSearch = 100;

    /// <summary>Of an organization, a project or a key; null means that it was not sent.</summary>
    public static IRuleBuilderOptions<T, string?> IsName<T>(this IRuleBuilder<T, string?> rule, int minimum = MinimumName) =>
        rule.Must(name => name is null || name.Trim().Length >= minimum).WithMessage($"A name has {minimum} to {MaximumName} characters.")
            .MaximumLength(MaximumName).WithMessage($"A name has {minimum} to {MaximumName} characters.")
            .Must(name => name is null || !name.Any(char.IsControl)).WithMessage("A name has no control characters.");

    public static IRuleBuilderOptions<T, string?> IsWebUrl<T>(this IRuleBuilder<T, string?> rule) =>
        rule.MaximumLength(MaximumUrl).WithMessage($"A URL has at most {MaximumUrl} characters.")
            .Must(url => string.IsNullOrEmpty(url) || TenancyFormats.IsWebUrl(url)).WithMessage("Enter a URL that begins with https:// or http://.");

    public static IRuleBuilderOptions<T, string?> IsSearch<T>(this IRuleBuilder<T, string?> rule) =>
        rule.MaximumLength(MaximumSearch).WithMessage($"Search for at most {MaximumSearch} characters.");

    public static IRuleBuilderOptions<T, IReadOnlyList<string>?> AreScopes<T>(this IRuleBuilder<T, IReadOnlyList<string>?> rule) =>
        rule.NotEmpty().WithMessage("Say what the key may do: at least one scope.")
            .Must(scopes => scopes is null || scopes.Count <= MaximumScopes).WithMessage($"A key has at most {MaximumScopes} scopes.")
            .Must(scopes => scopes is null || scopes.All(scope => scope is not null && KeyScopes.Catalogue.ContainsKey(scope)))
            .WithMessage($"The scopes are {string.Join(", ", KeyScopes.Catalogue.Keys)}.");

    public static IRuleBuilderOptions<T, IReadOnlyList<string>?> AreCidrs<T>(this IRuleBuilder<T, IReadOnlyList<string>?> rule) =>
        rule.Must(networks => networks is null || networks.Count <= MaximumCidrs).WithMessage($"A key has at most {MaximumCidrs} networks.")
            .Must(networks => networks is null || networks.All(TenancyFormats.IsNetwork)).WithMessage("A network is written like 192.0.2.0/24 or 2001:db8::/32.");
}
