using Microsoft.Extensions.DependencyInjection;
using Vtp.Application.Common.Pipeline;
using Vtp.Application.Identity;
using Vtp.Application.Identity.Sessions;
using Vtp.Application.Identity.TwoFactor;
using Vtp.Application.Notifications;
using Vtp.Application.Realtime.Dashboard;
using Vtp.Application.Tenancy.Exports;
using Vtp.Application.Tenancy.Invitations;

namespace Vtp.Application;

public static class Wiring
{
    public static IServiceCollection AddApplication(this IServiceCollection services) => services
        .AddUseCases()
        .AddScoped<SessionStarter>()
        .AddScoped<SecondFactorGate>()
        .AddScoped<StepUp>()
        .AddScoped<Joining>()
        .AddScoped<ExportDesk>()
        .AddScoped<EmailWriter>()
        .AddScoped<DashboardAccess>();
}
