using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vtp.Application.Identity;
using Vtp.Domain.Identity.Accounts;
using Vtp.Infrastructure.Persistence;

namespace Vtp.Benchmarks;

/// <summary>
/// What a request costs when nothing is done with it: Kestrel, a route, and for <c>/read</c> one prepared statement whose
/// row becomes the same JSON as a profile. No identity, no pipeline, no ORM: VTP is measured in shares of this.
/// </summary>
internal static class Floor
{
    private const string Sql =
        "SELECT id, email, full_name, phone, role, locale, email_verified_at IS NOT NULL, created_at FROM accounts WHERE id = $1";

    private const string ProjectSql = "SELECT name FROM projects WHERE id = $1";

    private static readonly byte[] Bytes = "{\"status\":\"healthy\"}"u8.ToArray();

    public static async Task RunAsync(string connectionString)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, FloorJson.Default);
        });
        await using var database = Connections.ReadPool(connectionString);

        // Sees every organization without being told so by each command: what that costs is the difference.
        await using var unscoped = Connections.ReadPool($"{connectionString};Options=-c vtp.tenants=*");
        await using var app = builder.Build();

        app.MapGet("/bytes", () => TypedResults.Bytes(Bytes, "application/json"));
        app.MapGet("/read/{id:guid}", async (Guid id, CancellationToken ct) => TypedResults.Ok(await ReadAsync(database, id, ct)));
        app.MapGet("/project/{id:guid}", async (Guid id, CancellationToken ct) =>
        {
            await using var command = unscoped.CreateCommand(ProjectSql);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            await using var reader = await command.ExecuteReaderAsync(ct);
            return await NameAsync(reader, ct);
        });
        app.MapGet("/tenant/{organization:guid}/{id:guid}", async (Guid organization, Guid id, CancellationToken ct) =>
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('vtp.tenants', $1, true), set_config('vtp.project', '', true)")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = $"{{{organization}}}" } },
            });
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ProjectSql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } });
            await using var reader = await batch.ReadAsync(ct);
            return await NameAsync(reader, ct);
        });
        app.MapGet("/health/detailed", () => TypedResults.Ok(new FloorHealth(new FloorMemory(GC.GetTotalAllocatedBytes()))));

        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Floor serves on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }

    private static async Task<IResult> NameAsync(NpgsqlDataReader reader, CancellationToken ct) =>
        await reader.ReadAsync(ct) ? TypedResults.Text(reader.GetString(0)) : TypedResults.NotFound();

    private static async Task<UserView> ReadAsync(NpgsqlDataSource database, Guid id, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } };

        // Known to the connection from its second use on: then this sends nothing.
        await command.PrepareAsync(ct);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new UserView(
            reader.GetGuid(0),
            reader.GetGuid(0),
            reader.GetString(1),
            reader.GetString(2),
            reader.IsDBNull(3) ? null : reader.GetString(3),
            Enum.Parse<Role>(reader.GetString(4), ignoreCase: true),
            reader.GetString(5),
            reader.GetBoolean(6),
            false,
            reader.GetFieldValue<DateTimeOffset>(7));
    }
}

internal sealed record FloorHealth(FloorMemory Memory);

internal sealed record FloorMemory(long TotalAllocatedBytes);

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(FloorHealth))]
internal sealed partial class FloorJson : JsonSerializerContext;
