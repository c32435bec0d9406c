using System.Diagnostics.CodeAnalysis;

namespace Vtp.Infrastructure;

/// <summary>VTP cannot start; the message is the one sentence that tells the operator why and what to do.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "It is what the operator reads, not a failure that code handles.")]
public sealed class StartupFault(string message, Exception? inner = null) : Exception(message, inner);
