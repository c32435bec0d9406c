using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Vtp.Integration.Fixture;

namespace Vtp.Integration.Tenancy;

/// <summary>An archive taken apart, so that a test can spoil it.</summary>
internal sealed class Package
{
    public const string Manifest = "manifest.json";

    private Package(List<(string Name, byte[] Bytes)> files) => Files = files;

    public List<(string Name, byte[] Bytes)> Files { get; }

    public byte[] this[string name]
    {
        get => Files.Single(file => file.Name == name).Bytes;
        set => Files[Files.FindIndex(file => file.Name == name)] = (name, value);
    }

    /// <summary>The hash of each file, as the manifest has it.</summary>
    public Dictionary<string, string> Hashes => JsonNode.Parse(this[Manifest])!["files"]!.AsArray()
        .ToDictionary(file => (string)file!["name"]!, file => (string)file!["sha256"]!, StringComparer.Ordinal);

    public static Package Read(byte[] bytes)
    {
        using var zip = new ZipArchive(new MemoryStream(bytes), ZipArchiveMode.Read);
        return new Package([.. zip.Entries.Select(entry => (entry.FullName, Content(entry)))]);

        static byte[] Content(ZipArchiveEntry entry)
        {
            using var stream = entry.Open();
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }

    public List<string> Lines(string name) => [.. Encoding.UTF8.GetString(this[name]).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    public List<JsonObject> Rows(string name) => [.. Lines(name).Select(line => JsonNode.Parse(line)!.AsObject())];

    /// <summary>Changes one row, and the manifest with it: what somebody does who knows how archives are made.</summary>
    public Package Forge(string name, Action<JsonObject> change, int line = 0)
    {
        var rows = Rows(name);
        change(rows[line]);
        return Replace(name, string.Concat(rows.Select(row => $"{row.ToJsonString()}\n")));
    }

    public Package Replace(string name, string text) => Replace(name, Encoding.UTF8.GetBytes(text));

    public Package Replace(string name, byte[] bytes)
    {
        this[name] = bytes;
        return Describe(file =>
        {
            if ((string)file["name"]! == name)
            {
                (file["bytes"], file["rows"]) = (bytes.Length, bytes.Count(one => one == '\n'));
                file["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
            }
        });
    }

    public Package Describe(Action<JsonObject> change) => Change(manifest =>
    {
        foreach (var file in manifest["files"]!.AsArray())
        {
            change(file!.AsObject());
        }
    });

    public Package Change(Action<JsonObject> change)
    {
        var manifest = JsonNode.Parse(this[Manifest])!.AsObject();
        change(manifest);
        this[Manifest] = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        return this;
    }

    public byte[] ToZip()
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in Files)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(content);
            }
        }

        return bytes.ToArray();
    }
}

internal static class ArchiveIntents
{
    private static readonly string[] Tables = ["organizations", "accounts", "members", "invitations", "projects", "api_keys"];

    public static async Task<byte[]> ExportAsync(this Person person, string what, Guid id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/{what}/{id}/export");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.AccessToken);
        using var response = await person.Api.Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        response.StatusCode.Should().Be(HttpStatusCode.OK, Encoding.UTF8.GetString(bytes));
        response.Content.Headers.ContentType!.ToString().Should().Be("application/zip");
        response.Headers.CacheControl!.NoStore.Should().BeTrue();
        return bytes;
    }

    public static Task<Answer> ImportAsync(this Person person, byte[] archive, string type = "application/zip") =>
        person.ImportAsync("organizations/import", archive, type);

    public static async Task<Answer> ImportAsync(this Person person, string path, byte[] archive, string type = "application/zip")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = new ByteArrayContent(archive) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);

        // A server that refuses a body without reading it closes the connection, and who sends on may miss the answer.
        request.Headers.ExpectContinue = true;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.AccessToken);
        return await person.Api.SendAsync(request);
    }

    /// <summary>Beneath the policies that keep organizations apart, which hide everything from a connection without one.</summary>
    public static async Task<T?> SystemAsync<T>(this VtpApi api, string sql, params object[] parameters)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(api.ConnectionString) { Options = "-c vtp.tenants=*", Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters.Select(parameter => new NpgsqlParameter { Value = parameter }).ToArray());
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>Everything that an import can write, as one text; refusals in the trail apart.</summary>
    public static async Task<string> ContentAsync(this VtpApi api)
    {
        var hashes = new StringBuilder();
        foreach (var table in Tables)
        {
            hashes.Append(await api.SystemAsync<string>($"SELECT '{table} ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY id)), '') || ' ' FROM {table} t"));
        }

        return hashes.Append(await api.SystemAsync<long>("SELECT count(*) FROM audit_entries WHERE outcome = 'succeeded'")).ToString();
    }
}
