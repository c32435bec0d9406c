using MediatR;
using Vtp.Application.Identity.Administration;

namespace Vtp.Api;

/// <summary>People to play with. Their passwords are random, and kept where only the operator reads them.</summary>
internal static class DemoAccounts
{
    public static async Task AddAsync(IMediator mediator, string folder, TextWriter output)
    {
        var file = Path.Combine(folder, "demo-accounts.txt");
        if ((await mediator.Send(new CreateDemoAccountsCommand())).TryGet(out var demo, out _) && demo.Accounts.Count > 0)
        {
            Directory.CreateDirectory(folder);
            var lines = demo.Accounts.Select(account => $"{account.Role,-8} {account.Email,-28} {account.Password}");
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
            await output.WriteLineAsync($"Demo accounts (also in {file}):");
            await output.WriteLineAsync(await File.ReadAllTextAsync(file));
        }
    }
}
