using Vtp.Domain.Common;

namespace Vtp.Domain.Tracker;

public static class TrackerRefusals
{
    public static Refusal NoHash(string field) =>
        Refusal.Field(field, "file.hash_malformed", $"A hash is a SHA-256: {ContentHash.Digits} hexadecimal digits.");
}
