namespace Vtp.Integration.Fixture;

/// <summary>
/// Runs after all other tests, one after the other: for tests that look at the whole process, or drive several nodes whose
/// deadlines a machine that is busy with other tests would miss.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
