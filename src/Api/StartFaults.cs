using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Vtp.Infrastructure;

namespace Vtp.Api;

internal static class StartFaults
{
    // They throw no types of their own for a setting that they cannot read, but good sentences.
    private static readonly string[] ReadersOfSettings =
        ["Microsoft.Extensions.Configuration.Binder", "Microsoft.Extensions.Configuration.FileExtensions", "Microsoft.AspNetCore.Http"];

    /// <summary>What the operator can put right, in one sentence; null for a fault of VTP's own, whose stack trace is wanted.</summary>
    public static string? Sentence(Exception exception) => exception switch
    {
        StartupFault => exception.Message,
        OptionsValidationException invalid => string.Join(' ', invalid.Failures),
        AggregateException several when several.InnerExceptions.All(inner => Sentence(inner) is not null) =>
            string.Join(' ', several.InnerExceptions.Select(Sentence)),
        IOException { InnerException: AddressInUseException } =>
            $"{exception.Message.TrimEnd('.')}: stop the program that uses it, or choose another port with --port.",
        _ when exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            "This user may not listen on that port: choose one from 1024 on with --port.",
        _ when ReadersOfSettings.Contains(exception.Source, StringComparer.Ordinal) => exception.Message,
        _ => null,
    };
}
