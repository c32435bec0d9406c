namespace Vtp.Integration.Fixture;

/// <summary>Another server on the database of the first one, at the same time.</summary>
public sealed class SecondNode : VtpApi
{
    private readonly string _database;

    private readonly (string Name, string Value)[] _settings;

    private SecondNode(VtpApi first, (string Name, string Value)[] settings)
    {
        (_database, _settings) = (first.ConnectionString, settings);
        Clock = first.Clock;
    }

    protected override IEnumerable<KeyValuePair<string, string>> Settings => _settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value));

    /// <param name="first">The other one.</param>
    /// <param name="settings">Beyond what all tests use.</param>
    public static async Task<SecondNode> BesideAsync(VtpApi first, params (string Name, string Value)[] settings)
    {
        var second = new SecondNode(first, settings);
        await second.InitializeAsync();
        return second;
    }

    protected override Task<string> DatabaseAsync() => Task.FromResult(_database);
}
