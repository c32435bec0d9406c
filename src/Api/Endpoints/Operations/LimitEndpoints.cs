using MediatR;
using Microsoft.AspNetCore.Http.HttpResults;
using Vtp.Api.Http;
using Vtp.Application.Operations.Limits;

namespace Vtp.Api.Endpoints.Operations;

internal static class LimitEndpoints
{
    public static void MapLimits(this IEndpointRouteBuilder api) =>
        api.MapGroup("/limits").WithTags("Limits").NeverStored()
            .MapGet("/", GetLimits).Runs<GetLimitsQuery>("Read your own limits and what remains of them");

    private static async Task<Results<Ok<LimitList>, RefusedHttpResult>> GetLimits(IMediator mediator, CancellationToken ct) =>
        (await mediator.Send(new GetLimitsQuery(), ct)).ToHttp();
}
