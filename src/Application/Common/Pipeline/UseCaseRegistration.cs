using System.Reflection;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common.Caching;
using Vtp.Application.Rooms.Recordings;
using Vtp.Application.Rooms.Signaling;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Relay;

namespace Vtp.Application.Common.Pipeline;

/// <summary>
/// Finds every use case of this assembly and gives each exactly the behaviours that it opts in with. They are closed
/// over the request here, at start: an open generic whose constraint does not fit would be skipped in silence.
/// </summary>
public static class UseCaseRegistration
{
    public static IServiceCollection AddUseCases(this IServiceCollection services)
    {
        services.AddTransient<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddTransient<IMediator, Mediator>();
        services.AddScoped<AuditSubject>();
        services.AddScoped<TenantScope>();
        services.AddTransient<Access>();
        services.AddTransient<TrackerCallers>();
        services.AddTransient<ITrackerCaller, TrackerCallers>();
        services.AddScoped<RelayAdmission>();
        services.AddScoped<RoomCallers>();
        services.AddScoped<RoomControl>();
        services.AddScoped<RecordingAccess>();
        services.AddScoped<RecordingNews>();
        services.AddSingleton<WaitingLine>();
        services.AddScoped<RequestLimits>();
        return services.AddUseCases(typeof(UseCaseRegistration).Assembly.GetTypes());
    }

    /// <summary>The handlers and validators among these types, and the kinds of jobs that they handle.</summary>
    internal static IServiceCollection AddUseCases(this IServiceCollection services, params IEnumerable<Type> types)
    {
        foreach (var type in types.Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (var contract in type.GetInterfaces().Where(contract => contract.IsGenericType))
            {
                var definition = contract.GetGenericTypeDefinition();
                if (definition == typeof(IRequestHandler<,>))
                {
                    services.AddTransient(contract, type);
                    AddPipeline(services, contract.GenericTypeArguments[0], contract.GenericTypeArguments[1]);
                    if (JobKind.Of(contract.GenericTypeArguments[0]) is { } kind)
                    {
                        services.AddSingleton(kind);
                    }
                }
                else if (definition == typeof(IValidator<>))
                {
                    services.AddSingleton(contract, type);
                }
            }
        }

        return services;
    }

    /// <summary>The behaviours of one use case, outermost first.</summary>
    internal static IEnumerable<Type> PipelineOf(Type request)
    {
        yield return typeof(TelemetryBehaviour<,>);
        if (request.IsDefined(typeof(AuditedAttribute)))
        {
            yield return typeof(AuditBehaviour<,>);
        }

        if (HasValidator(request))
        {
            yield return typeof(ValidationBehaviour<,>);
        }

        yield return typeof(AuthorizationBehaviour<,>);
        if (request.IsDefined(typeof(RateLimitedAttribute)))
        {
            yield return typeof(RateLimitBehaviour<,>);
        }

        if (request.IsAssignableTo(typeof(IInvalidates)))
        {
            yield return typeof(InvalidationBehaviour<,>);
        }

        if (request.IsDefined(typeof(IdempotentAttribute)))
        {
            yield return typeof(IdempotencyBehaviour<,>);
        }

        if (request.IsAssignableTo(typeof(ICachedQuery)))
        {
            yield return typeof(CacheBehaviour<,>);
        }
    }

    private static void AddPipeline(IServiceCollection services, Type request, Type response)
    {
        foreach (var behaviour in PipelineOf(request))
        {
            services.AddTransient(
                typeof(IPipelineBehavior<,>).MakeGenericType(request, response),
                behaviour.MakeGenericType(request, response));
        }
    }

    private static bool HasValidator(Type request) =>
        request.Assembly.GetTypes().Any(type => type.IsAssignableTo(typeof(IValidator<>).MakeGenericType(request)));
}
