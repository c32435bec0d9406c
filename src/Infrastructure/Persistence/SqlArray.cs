using Npgsql;
using NpgsqlTypes;

namespace Vtp.Infrastructure.Persistence;

/// <summary>Columns of rows that one statement takes by <c>unnest</c>.</summary>
internal static class SqlArray
{
    public static NpgsqlParameter Of<TRow, T>(string name, NpgsqlDbType type, TRow[] rows, Func<TRow, T> value) =>
        new(name, NpgsqlDbType.Array | type) { Value = Array.ConvertAll(rows, row => value(row)) };
}
