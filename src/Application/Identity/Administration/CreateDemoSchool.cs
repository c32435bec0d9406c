using System.Security.Cryptography;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Vtp.Application.Common;
using Vtp.Domain.Audit;
using Vtp.Domain.Common;
using Vtp.Domain.Identity.Accounts;
using Vtp.Domain.Tenancy.ApiKeys;
using Vtp.Domain.Tenancy.Members;
using Vtp.Domain.Tenancy.Organizations;
using Vtp.Domain.Tenancy.Projects;

namespace Vtp.Application.Identity.Administration;

/// <summary>At start, when the operator asks for it: a school with people, random passwords and a project. Has no route.</summary>
[Requires(Permission.Anyone)]
[Audited(AuditActions.DemoAdded)]
public sealed record CreateDemoSchoolCommand : ICommand<DemoSchoolCreated>;

/// <param name="Accounts">Those that were created now.</param>
/// <param name="Project">Null when the school had been created before.</param>
public sealed record DemoSchoolCreated(IReadOnlyList<DemoAccount> Accounts, DemoProject? Project);

public sealed record DemoAccount(Role Role, string Email, string Password);

/// <param name="Key">Publishable.</param>
public sealed record DemoProject(string Name, string Key, string Secret);

internal sealed class CreateDemoSchoolHandler(IVtpDb db, TenantScope tenant, IPasswordHasher passwords, AuditSubject audit, TimeProvider clock)
    : IRequestHandler<CreateDemoSchoolCommand, Result<DemoSchoolCreated>>
{
    private static readonly (Role Role, MemberRole Member, string Name)[] People =
    [
        (Role.Admin, MemberRole.Owner, "Ada Admin"),
        (Role.Teacher, MemberRole.Developer, "Tariq Teacher"),
        (Role.Student, MemberRole.Viewer, "Salma Student"),
        (Role.Student, MemberRole.Viewer, "Sami Student"),
    ];

    public async Task<Result<DemoSchoolCreated>> Handle(CreateDemoSchoolCommand request, CancellationToken cancellationToken)
    {
        var (members, created, now) = (new List<(AccountId, MemberRole)>(), new List<DemoAccount>(), clock.GetUtcNow());
        foreach (var (role, member, name) in People)
        {
            var email = EmailAddress.Parse($"{name.Split(' ')[0]}@demo.example");
            var account = await db.Accounts.FirstOrDefaultAsync(account => account.Email == email && account.EmailVerifiedAt != null, cancellationToken);
            if (account is null)
            {
                var password = RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 16);
                if (!(await passwords.HashAsync(password, sharingSaltWith: null, cancellationToken)).TryGet(out var hash, out var busy))
                {
                    return busy;
                }

                account = Account.Register(email, name, phone: null, role, hash, now);
                account.ProveMailbox(now);
                db.Accounts.Add(account);
                created.Add(new DemoAccount(role, email.Value, password));
            }

            members.Add((account.Id, member));
        }

        var project = await FoundAsync(members, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return new DemoSchoolCreated(created, project);
    }

    private async Task<DemoProject?> FoundAsync(List<(AccountId Account, MemberRole Role)> members, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var office = EmailAddress.Parse("office@demo.example");
        tenant.EnterSystem();
        if (await db.Organizations.OfAllTenants().WithDeleted().AnyAsync(organization => organization.AdminEmail == office, cancellationToken))
        {
            return null;
        }

        var school = Organization.Found("Demo School", office, Plan.Free, now);
        var (owner, project) = (members[0].Account, Project.Create(school.Id, "Demo classes", Region.EuWest, webhookUrl: null, storage: null, members[0].Account, now));
        var (publishable, publishableText) = ApiKey.IssuePair(project, ApiKeyKind.Publishable, owner, now);
        var (secret, secretText) = ApiKey.IssuePair(project, ApiKeyKind.Secret, owner, now);
        tenant.Enter(school.Id, project: null, school.AuditRetentionDays);
        db.Organizations.Add(school);
        db.Members.AddRange(members.Select(member => Member.Invited(school.Id, member.Account, member.Role, now, now)));
        db.Projects.Add(project);
        db.ApiKeys.AddRange(publishable, secret);
        (audit.TargetId, audit.TargetName) = (school.Id.Value, school.Name);
        return new DemoProject(project.Name, publishableText.Value, secretText.Value);
    }
}
