namespace Vtp.Integration.Fixture;

/// <summary>Logs at every level.</summary>
public sealed class TalkativeApi : VtpApi
{
    protected override bool LogsAll => true;
}
