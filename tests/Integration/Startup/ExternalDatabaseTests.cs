using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Startup;

public sealed class ExternalDatabaseTests(VtpFolder folder) : IClassFixture<VtpFolder>
{
    [Fact]
    public async Task Two_servers_that_migrate_one_empty_database_at_once_both_serve_and_start_no_postgres()
    {
        var database = await TestPostgres.NewEmptyDatabaseAsync();

        await using var one = RealServer.Start(folder, environment: [("ConnectionStrings__Vtp", database)]);
        await using var other = RealServer.Start(folder, environment: [("ConnectionStrings__Vtp", database)]);
        await Task.WhenAll(one.GreetedAsync(), other.GreetedAsync());

        var body = new { email = Intents.NewAddress(), full_name = "Noor Example", password = Intents.GoodPassword };
        (await one.PostAsync("auth/register", body)).Status.Should().Be(HttpStatusCode.Created);
        (await other.SignInAsync(body.email, body.password)).Should().Be(HttpStatusCode.OK);
        one.Errors.Should().BeEmpty();
        other.Errors.Should().BeEmpty();
        folder.HasPostgres.Should().BeFalse();
    }

    [Fact]
    public async Task A_superusers_connection_is_demoted_so_that_row_level_security_holds()
    {
        var database = await ChangedAsync(connection => connection.Username = "postgres");
        await using var server = await RealServer.ServeAsync(folder, [], [("ConnectionStrings__Vtp", database)]);

        await using var asSuperuser = NpgsqlDataSource.Create(database);
        await using var sessions = asSuperuser.CreateCommand(
            """
            SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relowner <> 'vtp_server'::regrole
            """);
        (await sessions.ExecuteScalarAsync()).Should().Be(0L, "what VTP makes belongs to a role that policies bind");
        await using var unscoped = asSuperuser.CreateCommand("SET ROLE vtp_server; SELECT count(*) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)");
        (await unscoped.ExecuteScalarAsync()).Should().Be(0L);
        server.Errors.Should().BeEmpty();
    }

    [Fact]
    public async Task A_role_that_passes_by_row_level_security_is_one_sentence()
    {
        var administrator = await ChangedAsync(connection => connection.Username = "postgres");
        var name = $"bypass_{Guid.NewGuid():N}";
        await using (var source = NpgsqlDataSource.Create(administrator))
        {
            await using var create = source.CreateCommand($"CREATE ROLE {name} LOGIN BYPASSRLS PASSWORD 'bypass'");
            await create.ExecuteNonQueryAsync();
        }

        (await RefusalAsync(new NpgsqlConnectionStringBuilder(administrator) { Username = name, Password = "bypass" }.ConnectionString)).Should()
            .Be($"User {name} may bypass row-level security, which keeps organizations apart. Take that away: ALTER ROLE {name} NOBYPASSRLS.");
    }

    [Fact]
    public async Task A_wrong_password_is_one_sentence()
    {
        var database = await ChangedAsync(connection => connection.Password = "canary");

        (await RefusalAsync(database)).Should().EndWith("the user or password in ConnectionStrings__Vtp is wrong (user vtp).").And.NotContain("canary");
    }

    [Fact]
    public async Task An_unknown_database_is_one_sentence()
    {
        var database = await ChangedAsync(connection => connection.Database = "nowhere");

        (await RefusalAsync(database)).Should().EndWith("database nowhere: there is no such database. Create it, or correct ConnectionStrings__Vtp.");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_one_sentence_within_fifteen_seconds()
    {
        var start = Stopwatch.GetTimestamp();

        (await RefusalAsync("Host=127.0.0.1;Port=1;Database=vtp;Username=vtp;Password=canary")).Should()
            .Be("PostgreSQL at 127.0.0.1, database vtp: no answer: see that it is running, and that ConnectionStrings__Vtp is right.");

        Stopwatch.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_one_sentence()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;

        (await RefusalAsync($"Host=127.0.0.1;Port={port};Database=vtp;Username=vtp;Password=canary;Timeout=2")).Should().Contain("no answer");
    }

    [Fact]
    public async Task A_server_that_is_no_postgres_is_one_sentence()
    {
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        var port = ((IPEndPoint)web.LocalEndpoint).Port;
        var answering = AnswerAsync();

        (await RefusalAsync($"Host=127.0.0.1;Port={port};Database=vtp;Username=vtp;Password=canary;Timeout=2")).Should().StartWith("PostgreSQL at 127.0.0.1, database vtp: ");
        await answering;

        async Task AnswerAsync()
        {
            using var client = await web.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
        }
    }

    [Fact]
    public async Task A_schema_newer_than_the_program_is_one_sentence()
    {
        var database = await TestPostgres.NewDatabaseAsync();
        await ExecuteAsync(database, """INSERT INTO "__EFMigrationsHistory" VALUES ('9999_later', '11.0.0')""");

        (await RefusalAsync(database)).Should().StartWith("The database was migrated by a newer version of VTP (9999_later is unknown here).");
    }

    [Fact]
    public async Task A_user_who_may_not_create_tables_is_one_sentence()
    {
        var role = $"reader_{Guid.NewGuid():N}";
        var database = await TestPostgres.NewEmptyDatabaseAsync();
        await ExecuteAsync(
            new NpgsqlConnectionStringBuilder(database) { Username = "postgres" }.ConnectionString,
            $"CREATE ROLE {role} LOGIN PASSWORD 'reader'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");

        (await RefusalAsync(new NpgsqlConnectionStringBuilder(database) { Username = role, Password = "reader" }.ConnectionString))
            .Should().EndWith($"user {role} may not create tables. Make it the owner of the database.");
    }

    private static async Task<string> ChangedAsync(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(await TestPostgres.NewEmptyDatabaseAsync());
        change(builder);
        return builder.ConnectionString;
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private Task<string> RefusalAsync(string database) => Refusal.OfAsync(folder, environment: [("ConnectionStrings__Vtp", database)]);
}
