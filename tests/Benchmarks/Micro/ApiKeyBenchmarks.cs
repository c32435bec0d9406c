using BenchmarkDotNet.Attributes;
using Vtp.Domain.Tenancy.ApiKeys;

namespace Vtp.Benchmarks.Micro;

/// <summary>What a key costs before anybody is asked: form and checksum, and the hash under which it is known.</summary>
public class ApiKeyBenchmarks
{
    private readonly string _key = ApiKeyText.New(ApiKeyKind.Secret, ApiKeyEnvironment.Live).Value;

    [Benchmark]
    public bool Checksum() => ApiKeyText.IsWellFormed(_key);

    [Benchmark]
    public byte[] Hash() => ApiKeyText.Hash(_key);
}
