using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Vtp.Application.Common;

namespace Vtp.Infrastructure.Persistence;

/// <summary>Gives <see cref="Queries.ForUpdate"/> its meaning: EF Core has no expression for it.</summary>
internal sealed class ForUpdateInterceptor : DbCommandInterceptor
{
    private const string Mark = $"-- {Queries.ForUpdateTag}";

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        if (command.CommandText.StartsWith(Mark, StringComparison.Ordinal))
        {
#pragma warning disable CA2100 // Appends a constant to what EF Core generated.
            command.CommandText += " FOR UPDATE";
#pragma warning restore CA2100
        }

        return ValueTask.FromResult(result);
    }
}
