using System.Reflection;
using FluentValidation;
using MediatR;
using Vtp.Application.Common;
using Vtp.Application.Common.Caching;
using Vtp.Application.Common.Pipeline;
using Vtp.Domain.Common;

namespace Vtp.Unit.Architecture;

/// <summary>Rules that every use case keeps. Each rule first shows that it found what it judges.</summary>
public sealed class UseCaseTests
{
    private static readonly Type[] Types = typeof(IVtpDb).Assembly.GetTypes();

    private static readonly Type[] Requests = [.. Types.Where(type => type.IsAssignableTo(typeof(IBaseRequest)) && type is { IsAbstract: false })];

    private static readonly Type[] Handlers = [.. Types.Where(type => Implements(type, typeof(IRequestHandler<,>)))];

    private static readonly Type[] Validators = [.. Types.Where(type => !type.IsAbstract && Implements(type, typeof(IValidator<>)))];

    [Fact]
    public void Every_request_answers_a_result_so_that_no_behaviour_is_skipped()
    {
        Requests.Should().HaveCountGreaterThan(20);
        Requests.Should().OnlyContain(request => request.GetInterfaces().Any(contract =>
            contract.IsGenericType
            && contract.GetGenericTypeDefinition() == typeof(IRequest<>)
            && contract.GenericTypeArguments[0].IsGenericType
            && contract.GenericTypeArguments[0].GetGenericTypeDefinition() == typeof(Result<>)));
    }

    [Fact]
    public void Every_request_says_who_may_run_it()
    {
        Requests.Should().NotBeEmpty();
        Requests.Should().OnlyContain(request => request.IsDefined(typeof(RequiresAttribute), false));
    }

    [Fact]
    public void Every_request_has_exactly_one_handler()
    {
        var handled = Handlers.Select(handler => handler.GetInterfaces().Single(contract => contract.IsGenericType).GenericTypeArguments[0]);
        handled.Should().BeEquivalentTo(Requests);
    }

    [Fact]
    public void Every_command_that_takes_text_has_a_validator()
    {
        var commands = Requests.Where(request => request.Name.EndsWith("Command", StringComparison.Ordinal)
            && request.GetProperties().Any(property => property.PropertyType == typeof(string))).ToList();
        var validated = Validators.Select(validator => validator.BaseType!.GenericTypeArguments[0]);

        commands.Should().HaveCountGreaterThan(10);
        validated.Should().Contain(commands);
    }

    [Fact]
    public void Every_command_that_changes_something_by_itself_is_audited_or_says_why_not()
    {
        // Refreshing happens every hour of every session, and checking a link changes nothing; offering the set-up link
        // is the server's own doing, what LiveKit tells is kept whole, who asked for a job is in the trail, and a ticket for a
        // connection is worth no more than the credential that it stands for. Who comes into a live room is in its presence. What
        // peers do all the time is in the log of events, and what somebody wants to see of a stream concerns nobody else.
        string[] ofPeers = ["LogInPeerCommand", "RegisterPeerCommand", "SendHeartbeatCommand", "ReportTrafficCommand", "LeaveSwarmsCommand", "AnnounceFileCommand"];
        string[] notAudited =
        [
            "RefreshSessionCommand", "VerifyResetTokenCommand", "OfferSetupCommand", "ReceiveLiveKitEventCommand", "IssueRealtimeTicketCommand",
            "JoinRoomCommand", "AnswerStreamPingCommand", "SetStreamFiltersCommand", .. ofPeers,
        ];
        var commands = Requests.Where(request => request.Name.EndsWith("Command", StringComparison.Ordinal)).ToList();

        commands.Should().HaveCountGreaterThan(10);
        commands.Where(command => !command.IsDefined(typeof(AuditedAttribute), false) && !command.IsDefined(typeof(JobAttribute), false)).Select(command => command.Name)
            .Should().BeEquivalentTo(notAudited);
    }

    [Fact]
    public void Handlers_and_validators_are_internal_and_sealed()
    {
        Handlers.Concat(Validators).Should().HaveCountGreaterThan(40);
        Handlers.Concat(Validators).Should().OnlyContain(type => type.IsSealed && !type.IsPublic);
    }

    [Fact]
    public void A_use_case_is_one_file_named_after_it()
    {
        var files = Directory.EnumerateFiles(Source.Folder("src/Application"), "*.cs", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, File.ReadAllText, StringComparer.Ordinal);

        foreach (var request in Requests)
        {
            var name = request.Name.Replace("Command", "", StringComparison.Ordinal).Replace("Query", "", StringComparison.Ordinal);
            files.Should().ContainKey(name);
            files[name].Should().Contain($"record {request.Name}").And.Contain($"class {name}Handler");
        }
    }

    [Fact]
    public void Every_named_rate_limit_has_a_policy_and_every_policy_is_used()
    {
        // Of every request, by who sends it; of connections that begin, and of what is said in live rooms.
        string[] ofEveryRequest = [RateLimitPolicies.Anonymous, RateLimitPolicies.User, RateLimitPolicies.Key, RateLimitPolicies.Project];
        var used = Requests.SelectMany(request => request.GetCustomAttributes<RateLimitedAttribute>()).Select(limit => limit.Policy).Distinct(StringComparer.Ordinal);
        used.Should().BeEquivalentTo(RateLimitPolicies.Defaults.Keys.Except([.. ofEveryRequest, RateLimitPolicies.Socket, RateLimitPolicies.Signaling, RateLimitPolicies.SignalingChat], StringComparer.Ordinal));
    }

    [Fact]
    public void Audited_actions_are_unique_and_dotted()
    {
        var actions = Requests.Select(request => request.GetCustomAttribute<AuditedAttribute>()?.Action).OfType<string>().ToList();

        actions.Should().HaveCountGreaterThan(10).And.OnlyHaveUniqueItems();
        actions.Should().OnlyContain(action => System.Text.RegularExpressions.Regex.IsMatch(
            action, "^[a-z_]+\\.[a-z_]+$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void The_pipeline_stands_in_its_order()
    {
        Requests.SelectMany(UseCaseRegistration.PipelineOf).Distinct().Should().HaveCount(8, "each behaviour has a use case that opts in");

        Type[] order =
        [
            typeof(TelemetryBehaviour<,>), typeof(AuditBehaviour<,>), typeof(ValidationBehaviour<,>), typeof(AuthorizationBehaviour<,>),
            typeof(RateLimitBehaviour<,>), typeof(InvalidationBehaviour<,>), typeof(IdempotencyBehaviour<,>), typeof(CacheBehaviour<,>),
        ];
        foreach (var request in Requests)
        {
            UseCaseRegistration.PipelineOf(request).Select(behaviour => Array.IndexOf(order, behaviour)).Should().BeInAscendingOrder();
        }
    }

    [Fact]
    public void What_is_kept_of_an_answer_depends_on_nobody_who_asked()
    {
        var kept = Requests.Where(request => request.IsAssignableTo(typeof(ICachedQuery))).ToList();
        kept.Should().HaveCountGreaterThan(3);
        var handlers = Types.Where(type => type.GetInterfaces().Any(contract => contract.IsGenericType
            && contract.GetGenericTypeDefinition() == typeof(IRequestHandler<,>) && kept.Contains(contract.GenericTypeArguments[0]))).ToList();
        handlers.Should().HaveCount(kept.Count);
        handlers.SelectMany(handler => handler.GetConstructors()).SelectMany(constructor => constructor.GetParameters())
            .Should().NotContain(parameter => parameter.ParameterType == typeof(ICaller), "its key does not name the caller");
    }

    private static bool Implements(Type type, Type contract) =>
        type.GetInterfaces().Any(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == contract);
}
