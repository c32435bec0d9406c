namespace Vtp.Integration.Fixture;

/// <summary>Another server on the database of the first one, at the same time.</summary>
public sealed class SecondNode : VtpApi
{
    private readonly string _database;

    private SecondNode(VtpApi first)
    {
        _database = first.ConnectionString;
        Clock = first.Clock;
    }

    public static async Task<SecondNode> BesideAsync(VtpApi first)
    {
        var second = new SecondNode(first);
        await second.InitializeAsync();
        return second;
    }

    protected override Task<string> DatabaseAsync() => Task.FromResult(_database);
}
