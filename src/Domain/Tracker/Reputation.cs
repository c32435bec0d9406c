namespace Vtp.Domain.Tracker;

/// <summary>What a peer gave and took, as it says itself, from 0 to 100; a new one has 50.</summary>
public static class Reputation
{
    public const double Unknown = 50;

    private const double MostForGiving = 30;
    private const double MostForTaking = 20;
    private const double MostForFiles = 10;
    private const double MostForDays = 10;

    /// <param name="uploaded">Bytes.</param>
    /// <param name="downloaded">Bytes.</param>
    /// <param name="filesShared">Just now.</param>
    /// <param name="known">Since it registered first.</param>
    public static double Of(long uploaded, long downloaded, int filesShared, TimeSpan known)
    {
        var giving = downloaded > 0
            ? Ratio(uploaded, downloaded) is >= 1 and var generous ? Math.Min(MostForGiving, 10 * generous) : -MostForTaking * (1 - Ratio(uploaded, downloaded))
            : uploaded > 0 ? MostForGiving : 0;
        return Math.Round(Math.Clamp(Unknown + giving + Math.Min(MostForFiles, 2.0 * filesShared) + Math.Min(MostForDays, known.TotalDays / 2), 0, 100), 2);
    }

    /// <summary>Bytes given for each byte taken; 0 for a peer that has taken nothing.</summary>
    public static double Ratio(long uploaded, long downloaded) => downloaded > 0 ? (double)uploaded / downloaded : 0;
}
