using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Diagnostics.Tracing.Etlx;
using Vtp.Application.Operations.Profiling;

namespace Vtp.Infrastructure.Profiling;

/// <summary>Makes of a recording what people read.</summary>
internal static class ProfileReader
{
    // Names of generic types are full of what the default encoder takes for HTML.
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Camel = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Stream Read(Recording recording, ProfileKind kind, ProfileFormat format)
    {
        if (kind == ProfileKind.Heap)
        {
            return Write(HeapSummary.Of(recording.Path), Json);
        }

        using var log = new TraceLog(TraceLog.CreateFromEventPipeDataFile(recording.Path, recording.Scratch));
        if (kind == ProfileKind.Threads)
        {
            return Write(ThreadSummary.Of(log), Json);
        }

        var stacks = kind switch
        {
            ProfileKind.Contention => Stacks.OfContention(log),
            ProfileKind.Allocations => Stacks.OfAllocations(log),
            _ => Stacks.OfCpu(log, recording.Cpu),
        };
        return format == ProfileFormat.Speedscope ? Write(Speedscope.Of(stacks), Camel) : Write(StackSummary.Of(stacks), Json);
    }

    private static MemoryStream Write(object value, JsonSerializerOptions options)
    {
        var output = new MemoryStream();
        JsonSerializer.Serialize(output, value, value.GetType(), options);
        output.Position = 0;
        return output;
    }
}
