using System.Diagnostics.CodeAnalysis;

namespace Vtp.Domain.Common;

/// <summary>What every use case answers: lets a pipeline behaviour refuse, keep and repeat without knowing the answer's type.</summary>
public interface IResult<TSelf>
    where TSelf : IResult<TSelf>
{
    static abstract Type AnswerType { get; }

    Refusal? Refusal { get; }

    /// <summary>Null in a refusal.</summary>
    object? Answer { get; }

    static abstract TSelf Refused(Refusal refusal);

    /// <param name="answer">Of <see cref="AnswerType"/>.</param>
    static abstract TSelf Answered(object answer);
}

/// <summary>An answer or a <see cref="Common.Refusal"/>, never both.</summary>
public sealed class Result<T> : IResult<Result<T>>
    where T : notnull
{
    private readonly T? _answer;

    private Result(T? answer, Refusal? refusal) => (_answer, Refusal) = (answer, refusal);

    static Type IResult<Result<T>>.AnswerType => typeof(T);

    public Refusal? Refusal { get; }

    object? IResult<Result<T>>.Answer => Refusal is null ? _answer : null;

    static Result<T> IResult<Result<T>>.Answered(object answer) => new((T)answer, null);

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
