using System.Runtime.InteropServices;
using Microsoft.Diagnostics.Tracing;

namespace Vtp.Infrastructure.Profiling;

/// <param name="Bytes">Of all objects.</param>
/// <param name="Lost">Events that did not fit into the buffer: with any, the numbers are too small.</param>
/// <param name="Types">Those with the most bytes first.</param>
internal sealed record HeapSummary(long Bytes, long Objects, int Lost, IReadOnlyList<TypeOnHeap> Types)
{
    private const int Listed = 100;

    public static HeapSummary Of(string path)
    {
        using var source = new EventPipeEventSource(path);
        var names = new Dictionary<ulong, string>();
        var types = new Dictionary<ulong, Sum>();
        source.Clr.TypeBulkType += bulk =>
        {
            for (var index = 0; index < bulk.Count; index++)
            {
                var type = bulk.Values(index);
                names[type.TypeID] = type.TypeName;
            }
        };
        source.Clr.GCBulkNode += bulk =>
        {
            for (var index = 0; index < bulk.Count; index++)
            {
                var node = bulk.Values(index);
                ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(types, node.TypeID, out _);
                sum = new Sum(sum.Objects + 1, sum.Bytes + (long)node.Size);
            }
        };
        source.Process();
        return new HeapSummary(
            types.Values.Sum(sum => sum.Bytes),
            types.Values.Sum(sum => sum.Objects),
            source.EventsLost,
            [
                .. types.OrderByDescending(type => type.Value.Bytes).Take(Listed)
                    .Select(type => new TypeOnHeap(names.GetValueOrDefault(type.Key, "?"), type.Value.Objects, type.Value.Bytes)),
            ]);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Sum(long Objects, long Bytes);
}

internal sealed record TypeOnHeap(string Type, long Objects, long Bytes);
