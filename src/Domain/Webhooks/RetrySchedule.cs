using System.Globalization;
using System.Security.Cryptography;

namespace Vtp.Domain.Webhooks;

public enum DeliveryVerdict
{
    /// <summary>Any 2xx.</summary>
    Delivered,

    /// <summary>Anything else, redirects and no answer included.</summary>
    Failed,

    /// <summary>410: the endpoint wants no more.</summary>
    Gone,
}

/// <summary>When a delivery that failed is tried again, and when it is given up.</summary>
public sealed class RetrySchedule
{
    /// <summary>Receivers that ask for more time get it, up to this.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(24);

    /// <summary>Ten attempts over 75 hours and 35 minutes, as Standard Webhooks suggests.</summary>
    public static readonly RetrySchedule Standard = new(
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24));

    // The three forms of RFC 9110 section 5.6.7, of which the last two are obsolete and still to be read.
    private static readonly string[] HttpDates =
        ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    private const int JitterSteps = 1000;
    private const double Jitter = 0.1;

    private readonly TimeSpan[] _delays;

    /// <param name="delays">Before the second attempt, the third and so on; the first is made at once.</param>
    public RetrySchedule(params TimeSpan[] delays)
    {
        if (delays.Any(delay => delay <= TimeSpan.Zero))
        {
            throw new ArgumentException("Delays are positive.", nameof(delays));
        }

        _delays = delays;
    }

    public int Attempts => _delays.Length + 1;

    public IReadOnlyList<int> Seconds => Array.ConvertAll(_delays, delay => (int)delay.TotalSeconds);

    /// <summary>When to try again; null when that was the last attempt.</summary>
    /// <param name="attempts">How many were made.</param>
    /// <param name="failedAt">When the last one ended.</param>
    /// <param name="retryAfter">What the receiver asked for: may make it later, never sooner.</param>
    public DateTimeOffset? Next(int attempts, DateTimeOffset failedAt, TimeSpan? retryAfter = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempts, 1);
        if (attempts >= Attempts)
        {
            return null;
        }

        var delay = WithJitter(_delays[attempts - 1]);
        var asked = retryAfter is { } wish && wish > LongestRetryAfter ? LongestRetryAfter : retryAfter ?? TimeSpan.Zero;
        return failedAt + (asked > delay ? asked : delay);
    }

    public static DeliveryVerdict Judge(int? status) => status switch
    {
        >= 200 and <= 299 => DeliveryVerdict.Delivered,
        410 => DeliveryVerdict.Gone,
        _ => DeliveryVerdict.Failed,
    };

    /// <summary>Reads <c>Retry-After</c> (RFC 9110 section 10.2.3); null when it says nothing that can be understood.</summary>
    public static TimeSpan? ReadRetryAfter(string? value, DateTimeOffset now)
    {
        if (value?.Trim() is not { Length: > 0 } text)
        {
            return null;
        }

        if (!text.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < LongestRetryAfter.TotalSeconds
                ? TimeSpan.FromSeconds(seconds)
                : LongestRetryAfter;
        }

        if (!DateTimeOffset.TryParseExact(text, HttpDates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
        {
            return null;
        }

        var wait = date - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }

    // Deliveries that failed together are not tried again together.
    private static TimeSpan WithJitter(TimeSpan delay) =>
        delay * (1 + (Jitter * RandomNumberGenerator.GetInt32(-JitterSteps, JitterSteps + 1) / JitterSteps));
}
