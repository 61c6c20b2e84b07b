using System.Text.Json;
using System.Text.RegularExpressions;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

/// <summary>That the Bicep files, the scripts and the programs mean the same things. The resource schemas are checked elsewhere: infra/README.md.</summary>
public partial class TemplateTests
{
    static string Main { get; } = Read("main.bicep");

    static IReadOnlyList<string> Modules { get; } = [.. Directory.EnumerateFiles(Path.Combine(Scripts.Folder, "app"), "*.bicep").Select(file => $"app/{Path.GetFileName(file)}")];

    [Fact]
    public void Every_module_is_there_and_gets_the_parameters_that_it_declares()
    {
        var modules = Module().Matches(Main);
        Assert.True(modules.Count >= 10);
        foreach (Match module in modules)
        {
            var (required, optional) = Parameters(Read(module.Groups["file"].Value));
            var given = Key().Matches(module.Groups["params"].Value).Select(key => key.Groups[1].Value).ToList();
            Assert.All(given, name => Assert.Contains(name, required.Concat(optional)));
            Assert.All(required, name => Assert.Contains(name, given));
        }
    }

    [Fact]
    public void Every_module_is_used_by_the_main_template_or_by_a_script()
    {
        var users = Scripts.Names.Append("lib.sh").Append("main.bicep").Select(Read).ToList();
        Assert.All(Modules, module => Assert.Contains(users, text => text.Contains(module, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_parameter_of_azd_is_declared_and_required_ones_are_given()
    {
        var given = JsonDocument.Parse(Read("main.parameters.json")).RootElement.GetProperty("parameters").EnumerateObject().Select(entry => entry.Name).ToList();
        var (required, optional) = Parameters(Main);
        Assert.All(given, name => Assert.Contains(name, required.Concat(optional)));
        Assert.All(required, name => Assert.Contains(name, given));
    }

    [Fact]
    public void What_scripts_read_from_a_deployment_is_what_it_says()
    {
        var outputs = Output().Matches(Main).Select(match => match.Groups[1].Value).ToHashSet();
        var read = Scripts.Names.SelectMany(name => Outputs().Matches(Read(name))).SelectMany(match => match.Groups[1].Value.Split(' ')).ToHashSet();
        Assert.Superset(read, outputs);
        Assert.Contains("resourceToken", read);
        Assert.All(outputs, name => Assert.True(char.IsAsciiLetterLower(name[0]), name));
    }

    [Fact]
    public async Task What_scripts_hand_to_a_template_is_declared_there()
    {
        using var scripts = new Scripts();
        foreach (var line in (string[])["deploy --environment demo --location here", "train-now --environment demo --recipe faces-vae", "sweep-now --environment demo --recipe faces-vae --set model.latent=8,16", "schedule-retraining --environment demo --recipe faces-vae --cron '0 0 * * *'"])
        {
            await using var run = await scripts.RunAsync($"{line} --dry-run");
            foreach (Match deployment in Deployment().Matches(run.Output))
            {
                var (required, optional) = Parameters(Read(deployment.Groups["file"].Value));
                var given = Given().Matches(deployment.Groups["rest"].Value).Select(match => match.Groups[1].Value).ToList();
                Assert.All(given, name => Assert.Contains(name, required.Concat(optional)));
                Assert.All(required.Where(name => name != "key"), name => Assert.Contains(name, given)); // the key is in a file
            }
            Assert.Matches(Deployment(), run.Output);
        }
    }

    /// <summary>The versions were checked where the table says; another one in a template has not been.</summary>
    [Fact]
    public void The_readme_lists_every_resource_type_with_its_version()
    {
        var used = Modules.Select(Read).Append(Main).SelectMany(text => Resource().Matches(text)).Select(match => match.Groups[1].Value).ToHashSet();
        var readme = Read("README.md");
        Assert.True(used.Count > 10);
        Assert.All(used, type => Assert.Contains($"| `{type.Replace("@", "` | ", StringComparison.Ordinal)} |", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void Nobody_gets_in_with_a_key()
    {
        var all = string.Join('\n', Modules.Select(Read).Append(Main));
        Assert.DoesNotMatch("(?i)listKeys|sharedKey:|listCredentials|accountKey|passwordSecretRef", all);
        Assert.Equal(2, Regex.Count(Read("app/storage.bicep"), "closed(,|$)", RegexOptions.Multiline));
        Assert.Contains("allowSharedKeyAccess: false", all, StringComparison.Ordinal);
        Assert.Contains("allowBlobPublicAccess: false", all, StringComparison.Ordinal);
        Assert.Contains("adminUserEnabled: false", all, StringComparison.Ordinal);
        Assert.Contains("disableLocalAuth: true", all, StringComparison.Ordinal);
        Assert.Contains("DisableLocalAuth: true", all, StringComparison.Ordinal);
        foreach (var secret in (string[])["key string", "keys object", "functionKeys object"]) Assert.Matches($@"@secure\(\)\s+@description\([^\n]*\)\s+param {secret}", all);
    }

    /// <summary>Azure/azure-functions-host, ContainerAppsSecretsRepository: where the host looks for keys, and how their files are called.</summary>
    [Fact]
    public void The_keys_that_a_deployment_makes_are_where_the_functions_host_looks_for_them()
    {
        var template = Read("app/functions.bicep");
        Assert.Contains("{ name: 'AzureWebJobsSecretStorageType', value: 'ContainerApps' }", template, StringComparison.Ordinal);
        Assert.Contains("mountPath: '/run/secrets/functions-keys'", template, StringComparison.Ordinal);
        foreach (var (secret, file) in ((string, string)[])[("host-master", "host.master"), ("host-function-default", "host.function.default"), ("host-systemkey-blobs-extension", "host.systemKey.blobs_extension")])
        {
            Assert.Contains($"{{ name: '{secret}', value: keys['{secret}'] }}", template, StringComparison.Ordinal);
            Assert.Contains($"{{ secretRef: '{secret}', path: '{file}' }}", template, StringComparison.Ordinal);
        }
        Assert.Contains("keys=(host-master host-function-default host-systemkey-blobs-extension)", Read("deploy"), StringComparison.Ordinal);
    }

    /// <summary>A role on a container lets nobody make that container, so that each must be there before.</summary>
    [Fact]
    public void Functions_may_write_to_every_container_that_they_name_but_not_to_the_published_models()
    {
        var made = Argument().Matches(ContainerList().Match(Read("app/storage.bicep")).Value).Select(match => match.Groups[1].Value).ToHashSet();
        var granted = Grant().Matches(Read("app/access.bicep"))
            .ToLookup(match => match.Groups["role"].Value, match => match.Groups["container"].Value);
        var named = Directory.EnumerateFiles(Path.Combine(Installation.Root, "src/Functions"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => BlobLiteral().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Superset(new HashSet<string> { "inbox", "results", "rejected", "jobs", "concepts" }, named);
        Assert.Superset(named, made);
        Assert.Superset(named, granted["blobContributor"].ToHashSet());
        Assert.Equal(["models"], granted["blobReader"]);
    }

    [Theory]
    [InlineData("train", "sweep", "--set")]
    [InlineData("sweep", "train", "--resume", "auto", "--if-changed")]
    public async Task The_training_program_understands_what_the_job_tells_it(string command, params string[] othersWords)
    {
        var job = Read("app/training-job.bicep");
        var words = Argument().Matches(job[job.IndexOf("args:", StringComparison.Ordinal)..job.IndexOf("env:", StringComparison.Ordinal)]).Select(match => match.Groups[1].Value).ToList();
        Assert.Superset(othersWords.ToHashSet(), words.ToHashSet());
        words.RemoveAll(othersWords.Contains);
        words.Insert(words.IndexOf(command) + 1, "faces-vae");
        if (command == "sweep") words.Insert(words.IndexOf("--set") + 1, "model.latent=8,16");
        words.Insert(words.IndexOf("--model") + 1, "small");
        words.Insert(words.IndexOf("--data") + 1, "faces:8");
        words.Insert(words.IndexOf("--epochs") + 1, "1");

        // No storage is named here: it gets as far as asking for it, so it knew every word.
        await using var run = await Command.RunAsync(Installation.TrainingJob, [.. words]);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("VaeStorage__blobServiceUri", run.Output, StringComparison.Ordinal);
        Assert.Contains("name: 'VaeStorage__blobServiceUri'", job, StringComparison.Ordinal);
    }

    [Fact]
    public void Event_Grid_calls_a_function_that_exists_and_probes_ask_routes_that_exist()
    {
        string Source(string file) => File.ReadAllText(Path.Combine(Installation.Root, "src/Functions", file));
        Assert.Contains("[Function(\"Inbox\")]", Source("InboxFunction.cs"), StringComparison.Ordinal);
        Assert.Contains("functionName=Host.Functions.Inbox&", Read("app/inbox-subscription.bicep"), StringComparison.Ordinal);
        Assert.Contains("BlobTrigger(\"inbox/", Source("InboxFunction.cs"), StringComparison.Ordinal);
        foreach (var route in (string[])["health/live", "health/ready"])
        {
            Assert.Contains($"Route = \"{route}\"", Source("HealthFunctions.cs"), StringComparison.Ordinal);
            Assert.Contains($"path: '/api/{route}'", Read("app/functions.bicep"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Whatever_serves_or_trains_has_resources_for_every_profile_and_the_setting_of_a_gpu_is_one_that_there_is()
    {
        var profiles = Profiles().Match(Main).Groups["profiles"].Value;
        foreach (var file in (string[])["app/functions.bicep", "app/training-job.bicep"])
        {
            var template = Read(file);
            Assert.Contains("workloadProfileName: gpu == 'none' ? 'Consumption' : gpu", template, StringComparison.Ordinal);
            Assert.Contains("resources: resources[gpu]", template, StringComparison.Ordinal);
            Assert.All(Argument().Matches(profiles).Select(match => match.Groups[1].Value), name => Assert.Matches($"(?m)^  '?{name}'?: {{ cpu: ", template));
        }
        Assert.Contains("LargestBatch", File.ReadAllText(Path.Combine(Installation.Root, "src/Functions/ServingOptions.cs")), StringComparison.Ordinal);
        Assert.Contains("{ name: 'Serving__LargestBatch', value: gpu == 'none' ? '16' : '64' }", Read("app/functions.bicep"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_alert_on_old_models_reads_the_line_that_training_writes()
    {
        var training = File.ReadAllText(Path.Combine(Installation.Root, "src/TrainingJob/Commands/Unattended.cs"));
        Assert.Contains("$\"serving: {name} {current.Version}, promoted {", training, StringComparison.Ordinal);
        Assert.Contains(":0} days ago\"", training, StringComparison.Ordinal);
        Assert.Contains("'serving: ' Model ' ' Version ', promoted ' Days:int ' days ago'", Read("app/alerts.bicep"), StringComparison.Ordinal);
    }

    static string Read(string file) => File.ReadAllText(Path.Combine(Scripts.Folder, file));

    static (List<string> Required, List<string> Optional) Parameters(string template)
    {
        var all = Parameter().Matches(template).ToLookup(match => match.Groups["default"].Success, match => match.Groups["name"].Value);
        return ([.. all[false]], [.. all[true]]);
    }

    [GeneratedRegex(@"^module \w+ '(?<file>[^']+)' = .*?params: \{(?<params>.*?)\}\r?\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Module();

    [GeneratedRegex(@"(\w+):")]
    private static partial Regex Key();

    [GeneratedRegex(@"^param (?<name>\w+) \w+(?<default> =)?", RegexOptions.Multiline)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^output (\w+)", RegexOptions.Multiline)]
    private static partial Regex Output();

    [GeneratedRegex(@"^ *outputs ([\w ]+)$", RegexOptions.Multiline)]
    private static partial Regex Outputs();

    [GeneratedRegex(@"--template-file \S*/infra/(?<file>\S+)(?<rest>.*)")]
    private static partial Regex Deployment();

    [GeneratedRegex("[ \"'](\\w+)=")]
    private static partial Regex Given();

    [GeneratedRegex(@"^resource \w+ '([^']+)'", RegexOptions.Multiline)]
    private static partial Regex Resource();

    [GeneratedRegex(@"@allowed\(\[(?<profiles>[^\]]*)\]\)\s+@description\([^\n]*\)\s+param gpu string")]
    private static partial Regex Profiles();

    [GeneratedRegex(@"'([^']+)'")]
    private static partial Regex Argument();

    [GeneratedRegex(@"for name in \[[^\]]+\]")]
    private static partial Regex ContainerList();

    [GeneratedRegex(@"\{ container: '(?<container>\w+)', who: 'functions', role: roles\.(?<role>\w+) \}")]
    private static partial Regex Grant();

    /// <summary>$"container/{…, or a constant that goes on with a name of its own; no route, and nothing below a job's folder.</summary>
    [GeneratedRegex(@"(?<!Route = |job, \$)""([a-z]+)/(?:\{|_\w+/"")")]
    private static partial Regex BlobLiteral();
}
