using System.Text.Json.Serialization;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Infrastructure.Idempotency;

namespace Vtp.Unit.Common;

public sealed class AnswerJsonTests
{
    [Fact]
    public void An_answer_comes_back_with_all_that_it_held()
    {
        var answer = new Whole("“é\u0001", Role.Teacher, new DateTimeOffset(638_000_000_000_000_007, TimeSpan.FromMinutes(90)), "cookie", null, 0)
        {
            Number = 1.10m,
            Names = new Dictionary<string, int?>(StringComparer.Ordinal) { ["A b"] = null, ["c"] = 3 },
            Parts = [new Part([1, 2], Guid.NewGuid()), new Part([], Guid.Empty)],
            Hidden = "header",
        };

        var read = Read(answer);

        read.Should().BeEquivalentTo(answer, options => options.ComparingByMembers<Whole>().ComparingByMembers<Part>());
        read.At.EqualsExact(answer.At).Should().BeTrue();
        read.Number.ToString(System.Globalization.CultureInfo.InvariantCulture).Should().Be("1.10");
    }

    [Fact]
    public void An_answer_that_says_nothing_comes_back_too() => Read(Done.Value).Should().Be(Done.Value);

    [Fact]
    public void What_is_not_such_an_answer_is_nobodys_malformed_request() =>
        FluentActions.Invoking(() => AnswerJson.Read("[]"u8.ToArray(), typeof(Part))).Should().Throw<InvalidOperationException>();

    private static T Read<T>(T answer)
        where T : notnull => (T)AnswerJson.Read(AnswerJson.Write(answer, typeof(T)), typeof(T));

    private sealed record Whole(
        string Text,
        Role Role,
        DateTimeOffset At,
        [property: JsonIgnore] string Cookie,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Absent,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Zero = 5)
    {
        public decimal Number { get; init; }

        public IReadOnlyDictionary<string, int?> Names { get; init; } = new Dictionary<string, int?>(StringComparer.Ordinal);

        public required IReadOnlyList<Part> Parts { get; init; }

        [JsonIgnore]
        public string? Hidden { get; init; }
    }

    private sealed record Part(byte[] Bytes, Guid Id);
}
