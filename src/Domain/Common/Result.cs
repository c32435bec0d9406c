using System.Diagnostics.CodeAnalysis;

namespace Vtp.Domain.Common;

/// <summary>What every use case answers: lets a pipeline behaviour refuse without knowing the answer's type.</summary>
public interface IResult<TSelf>
    where TSelf : IResult<TSelf>
{
    Refusal? Refusal { get; }

    static abstract TSelf Refused(Refusal refusal);
}

/// <summary>An answer or a <see cref="Common.Refusal"/>, never both.</summary>
public sealed class Result<T> : IResult<Result<T>>
    where T : notnull
{
    private readonly T? _answer;

    private Result(T? answer, Refusal? refusal) => (_answer, Refusal) = (answer, refusal);

    public Refusal? Refusal { get; }

    public static Result<T> Refused(Refusal refusal) => new(default, refusal);

    public bool TryGet([NotNullWhen(true)] out T? answer, [NotNullWhen(false)] out Refusal? refusal)
    {
        (answer, refusal) = (_answer, Refusal);
        return refusal is null;
    }

    public TOut Match<TOut>(Func<T, TOut> onAnswer, Func<Refusal, TOut> onRefusal) =>
        Refusal is { } refusal ? onRefusal(refusal) : onAnswer(_answer!);

    [SuppressMessage("Usage", "CA2225", Justification = "Result<T>.Refused and the constructor-free answer read better as values.")]
    public static implicit operator Result<T>(T answer) => new(answer, null);

    [SuppressMessage("Usage", "CA2225", Justification = "Refused is the named alternative.")]
    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);
}

/// <summary>The answer of a command that has nothing to say: 204.</summary>
public sealed record Done
{
    public static readonly Done Value = new();
}
