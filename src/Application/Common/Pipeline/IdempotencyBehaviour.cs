using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MediatR;
using Vtp.Application.Identity;
using Vtp.Domain.Common;

namespace Vtp.Application.Common.Pipeline;

/// <summary>
/// The Idempotency-Key header as payment providers made it known: same key and request, the first answer; same key and
/// another request, 422; while the first one runs, 409. Refusals are not kept: what was refused may be tried again.
/// </summary>
internal sealed class IdempotencyBehaviour<TRequest, TResponse>(IIdempotencyStore store, IVtpDb db, IPasswordHasher passwords, ICaller caller)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : IRequest<TResponse>
    where TResponse : IResult<TResponse>
{
    public const int MaximumKeyLength = 255;

    private static readonly PropertyInfo? Password = typeof(TRequest).GetProperty("Password");

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        if (caller.IdempotencyKey is not { } header)
        {
            return await next();
        }

        if (header.Length is 0 or > MaximumKeyLength)
        {
            return TResponse.Refused(IdempotencyRefusals.KeyInvalid);
        }

        var key = await IdempotencyKey.OfAsync(request, header, caller, cancellationToken);
        if (Password?.GetValue(request) is not null)
        {
            if (!(await key.StretchedAsync(passwords, cancellationToken)).TryGet(out var stretched, out var busy))
            {
                return TResponse.Refused(busy);
            }

            key = stretched;
        }

        try
        {
            var (state, answer) = await store.BeginAsync(key, TResponse.AnswerType, cancellationToken);
            switch (state)
            {
                case IdempotencyState.Answered:
                    db.PendingAudit = null; // It happened once.
                    return TResponse.Answered(answer!);
                case IdempotencyState.Mismatch:
                    return TResponse.Refused(IdempotencyRefusals.KeyReused);
                case IdempotencyState.InFlight:
                    return TResponse.Refused(IdempotencyRefusals.InFlight);
            }

            var result = await next();
            return result.Answer is null || await store.CompleteAsync(key, result.Answer, TResponse.AnswerType, cancellationToken)
                ? result
                : TResponse.Refused(IdempotencyRefusals.InFlight);
        }
        finally
        {
            await store.EndAsync();
        }
    }
}

internal static class RequestFingerprint
{
    /// <summary>Fields that no body may hold count too: an id from the route makes another request.</summary>
    private static readonly JsonSerializerOptions Options = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { IncludeIgnored } },
    };

    public static async Task<byte[]> OfAsync(object request, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(request, request.GetType(), Options));
        foreach (var file in request.GetType().GetProperties().Select(property => property.GetValue(request)).OfType<Stream>())
        {
            hash.AppendData(await SHA256.HashDataAsync(file, cancellationToken));
            file.Position = 0;
        }

        return hash.GetHashAndReset();
    }

    private static void IncludeIgnored(JsonTypeInfo type)
    {
        foreach (var file in type.Properties.Where(property => property.PropertyType.IsAssignableTo(typeof(Stream))).ToList())
        {
            type.Properties.Remove(file); // Its content counts.
        }

        foreach (var ignored in type.Type.GetProperties().Where(property => property.IsDefined(typeof(JsonIgnoreAttribute))))
        {
            var field = type.CreateJsonPropertyInfo(ignored.PropertyType, $"route:{ignored.Name}");
            field.Get = ignored.GetValue;
            type.Properties.Add(field);
        }
    }
}

internal static class IdempotencyRefusals
{
    public static readonly Refusal KeyInvalid =
        Refusal.Field("Idempotency-Key", "idempotency.key_invalid", "An Idempotency-Key has 1 to 255 characters.");

    public static readonly Refusal KeyReused =
        new(RefusalKind.Unprocessable, "idempotency.key_reused", "This Idempotency-Key was sent before with another request.");

    public static readonly Refusal InFlight =
        new(RefusalKind.Conflict, "idempotency.in_flight", "The first request with this Idempotency-Key is still running.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        };
}
