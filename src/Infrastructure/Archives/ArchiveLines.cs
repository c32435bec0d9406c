using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Vtp.Infrastructure.Archives;

/// <summary>Reads a file of an archive line by line, and never more of it than it said it has.</summary>
internal static class ArchiveLines
{
    public const int MaximumLine = 1024 * 1024;

    private const int Chunk = 64 * 1024;

    /// <returns>The lines without their ends.</returns>
    public static async IAsyncEnumerable<byte[]> ReadAsync(
        Stream file, ArchiveFileFacts facts, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (bytes, number) = (0L, 1L);
        var reader = PipeReader.Create(file, new StreamPipeReaderOptions(bufferSize: Chunk, leaveOpen: true));
        for (var isOver = false; !isOver;)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var (rest, lines) = (result.Buffer, new List<byte[]>());
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                lines.Add(rest.Slice(0, end).ToArray());
                rest = rest.Slice(rest.GetPosition(1, end));
            }

            (bytes, isOver) = (bytes + result.Buffer.Length - rest.Length, result.IsCompleted);
            if (bytes + rest.Length > facts.Bytes)
            {
                throw new ArchiveFault(facts.Name, "It has more bytes than the manifest says.");
            }

            foreach (var line in lines)
            {
                ThrowIfLonger(line.Length, facts.Name, number++);
                yield return line;
            }

            ThrowIfLonger(rest.Length, facts.Name, number);
            if (isOver && !rest.IsEmpty)
            {
                throw new ArchiveFault(facts.Name, $"Line {number}: the line has no end.");
            }

            reader.AdvanceTo(rest.Start, rest.End);
        }

        await reader.CompleteAsync();
        if (bytes != facts.Bytes)
        {
            throw new ArchiveFault(facts.Name, "It has fewer bytes than the manifest says.");
        }
    }

    private static void ThrowIfLonger(long length, string file, long number)
    {
        if (length > MaximumLine)
        {
            throw new ArchiveFault(file, $"Line {number}: the line is longer than 1 MiB.");
        }
    }
}
