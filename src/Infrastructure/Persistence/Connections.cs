using Npgsql;

namespace Vtp.Infrastructure.Persistence;

/// <summary>How VTP uses its connections, unless ConnectionStrings__Vtp says otherwise.</summary>
internal static class Connections
{
    // Statements that come again are planned once a connection. Nothing of ours stays behind in a session (no SET, no
    // LISTEN, no lock that outlives its transaction), so that clearing it after every request would be work for nothing.
    private const string Defaults = "Max Auto Prepare=100;No Reset On Close=true;";

    public static NpgsqlDataSource Pool(string connectionString) => NpgsqlDataSource.Create(Defaults + connectionString);
}
