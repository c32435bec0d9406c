using System.Diagnostics.CodeAnalysis;

namespace Vtp.Domain.Common;

/// <summary>A refusal in the middle of what is read piece by piece: to read on would be work for nothing.</summary>
[SuppressMessage("Design", "CA1032", Justification = "Without a refusal there is nothing to say.")]
public sealed class RefusedException(Refusal refusal) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;
}
