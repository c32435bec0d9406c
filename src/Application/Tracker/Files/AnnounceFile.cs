using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Domain.Tracker;

namespace Vtp.Application.Tracker.Files;

/// <summary>
/// A registered peer has this file, whole. The first announcement of a hash says what the file is made of, and stays;
/// others must agree with it, whatever they call the file.
/// </summary>
/// <param name="PeerId">The peer that has it.</param>
/// <param name="File">What it is made of.</param>
[Requires(Permission.ShareFiles)]
[RateLimited(RateLimitPolicies.TrackerAnnounce, Waits = true)]
public sealed record AnnounceFileCommand([property: Alias("id")] string? PeerId, AnnouncedFile? File) : ICommand<FileAnnounced>, IRateLimitTarget
{
    string? IRateLimitTarget.RateLimitTarget => PeerId;
}

/// <param name="Name">At most 255 bytes, no path separators and no control characters.</param>
/// <param name="Size">Bytes; 8 TiB at most.</param>
/// <param name="Hash">SHA-256 of the whole file, 64 hexadecimal digits.</param>
/// <param name="ChunkSize">Bytes of each chunk but the last; 262144 when 0.</param>
/// <param name="Chunks">In order; 524,288 at most.</param>
/// <param name="MerkleRoot">Of the tree over the chunks' hashes; checked when it is sent.</param>
public sealed record AnnouncedFile(string? Name, long Size, string? Hash, int ChunkSize, ChunkCollection? Chunks, string? MerkleRoot);

/// <param name="FileId">The file's hash.</param>
/// <param name="Message">Says so when the file was known already.</param>
public sealed record FileAnnounced(bool Success, string FileId, string Message);

internal sealed class AnnounceFileValidator : AbstractValidator<AnnounceFileCommand>
{
    public AnnounceFileValidator()
    {
        RuleFor(command => command.PeerId).IsPeerId();
        RuleFor(command => command.File).NotNull().WithMessage("Say what the file is made of.");
    }
}

internal sealed class AnnounceFileHandler(ISwarms swarms, ITrackerCaller tracker, ICaller caller) : IRequestHandler<AnnounceFileCommand, Result<FileAnnounced>>
{
    public async Task<Result<FileAnnounced>> Handle(AnnounceFileCommand request, CancellationToken cancellationToken)
    {
        var file = request.File!;
        if (!FileManifest.Of(file.Hash, file.Name, file.Size, file.ChunkSize, file.Chunks ?? [], file.MerkleRoot).TryGet(out var manifest, out var refusal)
            || !(await swarms.AnnounceAsync(PeerCall.Of(tracker, caller, request.PeerId!), manifest, cancellationToken)).TryGet(out var listed, out refusal))
        {
            return refusal;
        }

        return new FileAnnounced(true, manifest.Hash.ToString(), string.Equals(listed.Name, manifest.Name, StringComparison.Ordinal) ? "Announced." : $"Announced; it is listed as {listed.Name}.");
    }
}
