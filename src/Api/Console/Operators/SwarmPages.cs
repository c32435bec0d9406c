using MediatR;
using Microsoft.AspNetCore.Mvc;
using Vtp.Api.Http;
using Vtp.Application.Tenancy.Projects;
using Vtp.Application.Tracker;
using Vtp.Application.Tracker.Administration;

namespace Vtp.Api.Console.Operators;

/// <summary>
/// The file tracker for people: administrators of the installation see the public project, and everybody those of their
/// organizations. It is the one page of the console that whoever administers nothing may sign in to.
/// </summary>
internal static class SwarmPages
{
    public const string Swarms = "/console/tracker";

    // As the tracker that this one took the place of had it.
    public const string Dashboard = "/dashboard";

    private const int MostProjects = 100;

    public static void MapSwarmPages(this IEndpointRouteBuilder pages) => pages.MapGet(Swarms, Show).Runs(typeof(ViewSwarmsQuery));

    public static void MapDashboard(this IEndpointRouteBuilder app)
    {
        foreach (var (from, to) in new[] { ("/", Dashboard), (Dashboard, Swarms) })
        {
            app.MapGet(from, (HttpRequest request) => Results.Redirect(to + request.QueryString, permanent: false, preserveMethod: true))
                .ExcludeFromDescription().OpenToAll("A signpost.");
        }
    }

    public static bool IsWay(string? next) => next is Swarms || next?.StartsWith($"{Swarms}?", StringComparison.Ordinal) == true;

    /// <summary>The page of a project; of the public one when absent.</summary>
    public static string Address(Guid? project) => project is { } id ? $"{Swarms}?project_id={id}" : Swarms;

    private static async Task<IResult> Show(
        [FromQuery(Name = "project_id")] Guid? projectId, HttpRequest request, IMediator mediator, ITrackerKeys keys, CancellationToken ct)
    {
        if (!(await mediator.Send(new ListProjectsQuery(OrgId: null, Search: null, Deleted: null, Page: 1, MostProjects), ct)).TryGet(out var found, out var refusal))
        {
            return OperatorForms.Refused(refusal);
        }

        List<(Guid? Id, string Name)> projects = [.. found.Data.Select(project => ((Guid?)project.Id, project.Name))];
        if (keys.Keyless is not null)
        {
            projects.Insert(0, (null, "Public"));
        }

        var chosen = projectId ?? (projects is [var first, ..] ? first.Id : null);
        if (projects.Count == 0)
        {
            return Pages.Page<SwarmsPage>(new { Projects = projects });
        }

        return (await mediator.Send(new ViewSwarmsQuery(chosen, $"{request.Scheme}://{request.Host}"), ct)).TryGet(out var view, out refusal)
            ? Pages.Page<SwarmsPage>(new { Projects = projects, Chosen = chosen, View = view })
            : OperatorForms.Refused(refusal, Swarms);
    }
}
