using MediatR;
using Vtp.Application.Identity.Administration;

namespace Vtp.Api;

/// <summary>A school to play with. Its passwords and keys are random, and kept where only the operator reads them.</summary>
internal static class DemoSchool
{
    public static async Task AddAsync(IMediator mediator, string folder, TextWriter output)
    {
        var file = Path.Combine(folder, "demo-accounts.txt");
        if ((await mediator.Send(new CreateDemoSchoolCommand())).TryGet(out var demo, out _) && demo is not { Accounts: [], Project: null })
        {
            Directory.CreateDirectory(folder);
            var lines = demo.Accounts.Select(account => $"{account.Role,-8} {account.Email,-28} {account.Password}").ToList();
            if (demo.Project is { } project)
            {
                lines.Add($"{"Project",-8} {project.Name,-28} X-API-Key: {project.Secret} (publishable: {project.Key})");
            }

            var create = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using var writer = new StreamWriter(file, create);
            await writer.WriteLineAsync(string.Join(Environment.NewLine, lines));
        }

        if (File.Exists(file))
        {
            await output.WriteLineAsync($"Demo School: sign in at POST /api/v1/auth/login, or send the project's key (also in {file}):");
            await output.WriteLineAsync(await File.ReadAllTextAsync(file));
        }
    }
}
