using System.Reflection;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Vtp.Api.Http;
using Vtp.Application.Common;
using Vtp.Domain.Common;
using Vtp.Infrastructure.Idempotency;

namespace Vtp.Unit.Architecture;

/// <summary>A repeated answer is made from what was kept of the first one, and must be the same to the byte.</summary>
public sealed class IdempotentAnswerTests
{
    [Fact]
    public void Whatever_an_idempotent_command_answers_is_kept_whole()
    {
        var answers = typeof(IVtpDb).Assembly.GetTypes()
            .Where(type => type.IsDefined(typeof(IdempotentAttribute)))
            .Select(command => command.GetInterfaces().Single(IsCommand).GenericTypeArguments[0])
            .Except([typeof(Done)])
            .ToList();

        answers.Should().NotBeEmpty();
        var keepsWhole = typeof(IdempotentAnswerTests).GetMethod(nameof(KeepsWhole), BindingFlags.NonPublic | BindingFlags.Static)!;
        answers.Should().AllSatisfy(answer => keepsWhole.MakeGenericMethod(answer).Invoke(null, null));
    }

    private static IArbMap Values => ArbMap.Default
        .MergeArb(ArbMap.Default.GeneratorFor<string[]>().Select(texts => (IReadOnlyList<string>)texts).ToArbitrary())
        .MergeArb(ArbMap.Default.GeneratorFor<int[]>().Select(numbers => (IReadOnlyList<int>)numbers).ToArbitrary());

    private static bool IsCommand(Type contract) => contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(ICommand<>);

    private static void KeepsWhole<T>()
        where T : notnull =>
        Prop.ForAll(Values.ArbFor<T>(), answer => Body(AnswerJson.Read(AnswerJson.Write(answer, typeof(T)), typeof(T))) == Body(answer)).QuickCheckThrowOnFailure();

    private static string Body(object answer) => JsonSerializer.Serialize(answer, answer.GetType(), Json.Options);
}
