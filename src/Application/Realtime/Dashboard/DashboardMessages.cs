using System.Text.Json;
using System.Text.Json.Serialization;
using Vtp.Application.Common;
using Vtp.Domain.Common;

namespace Vtp.Application.Realtime.Dashboard;

/// <summary>What is told to those who watch, as JSON in the words of their clients.</summary>
public static class DashboardMessages
{
    public const string AnalyticsUpdate = "analytics_update";
    public const string UserActivity = "user_activity";
    public const string SystemAlert = "system_alert";

    /// <summary>Sent as an <see cref="AnalyticsUpdate"/>, to those who run the server.</summary>
    public const string SystemHealth = "system_health";

    public const string MetricsUpdate = "metrics_update";

    /// <summary>Nodes tell each other here what a client asked of a stream that another one holds.</summary>
    public const string ControlTopic = "dashboard:control";

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new UtcConverter() },
    };

    public static Publication Of<T>(DashboardScope scope, string name, T data) =>
        new(scope.Topic, name, JsonSerializer.SerializeToUtf8Bytes(data, Json));

    public static Publication OfNumbers<T>(DashboardScope scope, string name, string type, T data, DateTimeOffset now, JsonElement? metadata = null) =>
        Of(scope, name, new DashboardUpdate(type, Element(data), now, metadata, now));

    public static JsonElement Element<T>(T value) => JsonSerializer.SerializeToElement(value, Json);

    /// <summary>What an administrator gave along, and who it was.</summary>
    internal static JsonElement Signed(JsonElement? metadata, ICaller caller)
    {
        var all = metadata is { ValueKind: JsonValueKind.Object } given
            ? given.EnumerateObject().ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal)
            : [];
        all["triggeredBy"] = Element(caller.SignedIn?.AccountId.Value);
        all["manual"] = Element(true);
        return Element(all);
    }

    private sealed class UtcConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
    }
}

public static class DashboardRefusals
{
    public static readonly Refusal TooManyStreams =
        new(RefusalKind.TooMany, "dashboard.too_many_streams", "Three streams of an account may be open, on all nodes together. Close one.") { RetryAfter = TimeSpan.FromSeconds(5) };

    public static readonly Refusal TooManySockets =
        new(RefusalKind.TooMany, "dashboard.too_many_sockets", "Three sockets of an account may be open here, on all nodes together. Close one.");

    public static readonly Refusal OrganizationNeeded =
        Refusal.Field("org_id", "dashboard.organization_needed", "You manage several organizations: say which.");
}
