using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Vtp.Api.Console;

/// <summary>What the pages load: files in this folder that are compiled into the server.</summary>
internal sealed class SiteFile
{
    public static readonly SiteFile Style = new("site.css", "text/css; charset=utf-8");
    public static readonly SiteFile Icon = new("icon.svg", "image/svg+xml");
    public static readonly SiteFile ConsoleStyle = new("console.css", "text/css; charset=utf-8");
    public static readonly SiteFile Live = new("live.js", "text/javascript; charset=utf-8");
    public static readonly SiteFile Swarms = new("swarms.js", "text/javascript; charset=utf-8");
    public static readonly SiteFile Watch = new("watch.js", "text/javascript; charset=utf-8");

    private readonly byte[] _content;
    private readonly string _contentType;
    private readonly EntityTagHeaderValue _tag;

    private SiteFile(string name, string contentType)
    {
        using var resource = typeof(SiteFile).Assembly.GetManifestResourceStream($"{typeof(SiteFile).Namespace}.{name}")!;
        _content = new byte[resource.Length];
        resource.ReadExactly(_content);
        _contentType = contentType;

        var version = Convert.ToHexStringLower(SHA256.HashData(_content))[..16];
        _tag = new EntityTagHeaderValue($"\"{version}\"");
        Path = $"/console/{name}";
        Url = $"{Path}?v={version}";
    }

    public string Path { get; }

    /// <summary>Changes with the content, so that a new release is seen at once.</summary>
    public string Url { get; }

    public FileContentHttpResult Send(HttpResponse response)
    {
        response.Headers.CacheControl = "public, max-age=86400";
        return TypedResults.File(_content, _contentType, entityTag: _tag);
    }
}
