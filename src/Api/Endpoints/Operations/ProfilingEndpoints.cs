using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Operations.Profiling;

namespace Vtp.Api.Endpoints.Operations;

/// <summary>Under the path that Go's tools made usual. Not part of the API: no client is built on it.</summary>
internal static class ProfilingEndpoints
{
    public static void MapProfiling(this IEndpointRouteBuilder app)
    {
        var profiles = app.MapGroup("/debug/pprof").ExcludeFromDescription().NeverStored();
        profiles.MapGet("/", List).WithMetadata(new UseCaseMetadata(typeof(ListProfilesQuery)));
        Map("/profile", ProfileKind.Cpu);
        Map("/heap", ProfileKind.Heap);
        Map("/threads", ProfileKind.Threads);
        Map("/contention", ProfileKind.Contention);
        Map("/allocs", ProfileKind.Allocations);
        Map("/trace", ProfileKind.Trace);

        void Map(string path, ProfileKind kind) => profiles
            .MapGet(path, (int? seconds, Word<ProfileFormat>? format, HttpContext context, IMediator mediator, CancellationToken ct) =>
                TakeAsync(new TakeProfileCommand(kind, seconds, format?.Value), context, mediator, ct))
            .WithMetadata(new UseCaseMetadata(typeof(TakeProfileCommand)));
    }

    private static async Task<Results<Ok<ProfileList>, RefusedHttpResult>> List(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new ListProfilesQuery(), ct)).ToHttp();

    private static async Task<Results<FileStreamHttpResult, RefusedHttpResult>> TakeAsync(
        TakeProfileCommand command, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        context.WaitsOnPurpose();
        return (await mediator.Send(command, ct)).Match<Results<FileStreamHttpResult, RefusedHttpResult>>(
            profile => TypedResults.Stream(profile.Content, profile.ContentType, profile.FileName),
            refusal => new RefusedHttpResult(refusal));
    }
}
