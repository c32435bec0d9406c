using Vtp.Infrastructure.Notices;

namespace Vtp.Infrastructure.Jobs;

/// <summary>For the worker: jobs may be ready.</summary>
internal sealed class JobWakes : Wakes
{
    public const string Channel = "vtp_jobs";
}
