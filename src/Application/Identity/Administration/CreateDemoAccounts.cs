using System.Security.Cryptography;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;

namespace Vtp.Application.Identity.Administration;

/// <summary>At start, when the operator asks for it: a school's worth of accounts with random passwords. Has no route.</summary>
[Requires(Permission.Anyone)]
[Audited(AuditActions.DemoAdded)]
public sealed record CreateDemoAccountsCommand : ICommand<DemoAccountsCreated>;

/// <param name="Accounts">Empty when they had been created before.</param>
public sealed record DemoAccountsCreated(IReadOnlyList<DemoAccount> Accounts);

public sealed record DemoAccount(Role Role, string Email, string Password);

internal sealed class CreateDemoAccountsHandler(IVtpDb db, IPasswordHasher passwords, TimeProvider clock)
    : IRequestHandler<CreateDemoAccountsCommand, Result<DemoAccountsCreated>>
{
    private static readonly (Role Role, string Name)[] People =
    [
        (Role.Admin, "Ada Admin"), (Role.Teacher, "Tariq Teacher"), (Role.Student, "Salma Student"), (Role.Student, "Sami Student"),
    ];

    public async Task<Result<DemoAccountsCreated>> Handle(CreateDemoAccountsCommand request, CancellationToken cancellationToken)
    {
        var (accounts, now) = (new List<DemoAccount>(), clock.GetUtcNow());
        foreach (var (role, name) in People)
        {
            var email = EmailAddress.Parse($"{name.Split(' ')[0]}@demo.example");
            if (await db.Accounts.AnyAsync(account => account.Email == email, cancellationToken))
            {
                continue;
            }

            var password = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 16);
            if (!(await passwords.HashAsync(password, sharingSaltWith: null, cancellationToken)).TryGet(out var hash, out var busy))
            {
                return busy;
            }

            var account = Account.Register(email, name, phone: null, role, hash, now);
            account.ProveMailbox(now);
            db.Accounts.Add(account);
            accounts.Add(new DemoAccount(role, email.Value, password));
        }

        await db.SaveChangesAsync(cancellationToken);
        return new DemoAccountsCreated(accounts);
    }
}
