using System.Net;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Http;

/// <summary>What holds connections for long leaves those of short reads alone.</summary>
public sealed class ConnectionTests(VtpApi api) : IClassFixture<VtpApi>
{
    [Fact]
    public async Task A_profile_is_read_while_all_connections_for_long_work_are_held()
    {
        var person = await api.RegisterAsync();
        var pool = api.Service<NpgsqlDataSource>();
        var held = new List<NpgsqlConnection>();
        try
        {
            // The listener for notifications holds one for good, and so does the journal of the tracker.
            var size = new NpgsqlConnectionStringBuilder(pool.ConnectionString).MaxPoolSize - 2;
            while (held.Count < size)
            {
                held.Add(await pool.OpenConnectionAsync());
            }

            var profile = await person.GetAsync("auth/profile");

            profile.Status.Should().Be(HttpStatusCode.OK);
            profile.Headers.CacheControl!.NoStore.Should().BeTrue("it holds personal data");
        }
        finally
        {
            foreach (var connection in held)
            {
                await connection.DisposeAsync();
            }
        }
    }
}
