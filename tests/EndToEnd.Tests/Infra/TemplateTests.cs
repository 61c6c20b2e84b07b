using System.Text.Json;
using System.Text.RegularExpressions;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

/// <summary>That Bicep's compiler has nothing to say, and that templates, scripts and programs mean the same things.</summary>
public partial class TemplateTests(CompiledTemplates templates) : IClassFixture<CompiledTemplates>
{
    /// <summary>Azure's own roles, by their ids.</summary>
    const string BlobReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", BlobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";

    static readonly (string Secret, string File)[] Keys =
    [
        ("host-master", "host.master"),
        ("host-function-default", "host.function.default"),
        ("host-systemkey-blobs-extension", "host.systemKey.blobs_extension"),
    ];

    [Fact]
    public void The_compiler_and_its_linter_find_nothing()
    {
        Assert.Equal("", templates.Complaints);
        Assert.Equal(12, templates.ByFile.Count);
    }

    /// <summary>Without the types of the resources the compiler would have little to complain of.</summary>
    [Fact]
    public async Task The_compiler_knows_what_a_resource_may_have_and_must()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("wrong.bicep"), """
            resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
              name: 'registry'
              location: 'here'
              properties: { adminUser: false }
            }
            """);

        await using var lint = await Bicep.RunAsync("lint", folder.File("wrong.bicep"));

        Assert.Contains("BCP035", lint.Output, StringComparison.Ordinal); // there is no sku
        Assert.Contains("BCP037", lint.Output, StringComparison.Ordinal); // nor such a property
    }

    [Fact]
    public async Task The_parameters_of_azd_fit_the_main_template()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("parameters.json");

        await using var compiler = await Bicep.RunInAsync(
            ["AZURE_ENV_NAME=demo", "AZURE_LOCATION=here", "VAE_GPU=none", "VAE_ALERT_EMAIL=me@example.com"],
            "build-params", Path.Combine(Scripts.Folder, "main.bicepparam"), "--outfile", file);

        Assert.True(compiler.ExitCode == 0 && compiler.Output.Trim().Length == 0, compiler.Output);
        var given = (await Bicep.ReadAsync(file)).GetProperty("parameters").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetProperty("value").GetString());
        Assert.Equal("demo here  none cpu me@example.com", string.Join(' ', given.Values));
        Assert.Equal(["environmentName", "location", "principalId", "gpu", "serveOn", "alertEmail"], given.Keys);
    }

    [Fact]
    public void Every_module_is_used_by_the_main_template_or_by_a_script()
    {
        var users = Scripts.Names.Append("lib.sh").Append("main.bicep").Select(Read).ToList();
        Assert.All(templates.ByFile.Keys.Where(file => file != "main.bicep"),
            module => Assert.Contains(users, text => text.Contains(module, StringComparison.Ordinal)));
    }

    [Fact]
    public void What_scripts_read_from_a_deployment_is_what_it_says()
    {
        var outputs = Names(templates.ByFile["main.bicep"], "outputs");
        var read = Scripts.Names.SelectMany(name => Outputs().Matches(Read(name)))
            .SelectMany(match => match.Groups[1].Value.Split(' ')).ToHashSet();
        Assert.Superset(read, outputs);
        Assert.Contains("resourceToken", read);
        Assert.All(outputs, name => Assert.True(char.IsAsciiLetterLower(name[0]), name));
    }

    [Theory]
    [InlineData("deploy --environment demo --location here")]
    [InlineData("train-now --environment demo --recipe faces-vae")]
    [InlineData("sweep-now --environment demo --recipe faces-vae --set model.latent=8,16")]
    [InlineData("schedule-retraining --environment demo --recipe faces-vae --cron '0 0 * * *'")]
    public async Task What_scripts_hand_to_a_template_is_declared_there(string line)
    {
        using var scripts = new Scripts();

        await using var run = await scripts.RunAsync($"{line} --dry-run");

        var deployments = Deployment().Matches(run.Output);
        Assert.NotEmpty(deployments);
        foreach (Match deployment in deployments)
        {
            var template = templates.ByFile[deployment.Groups["file"].Value];
            var required = template.GetProperty("parameters").EnumerateObject()
                .Where(parameter => !parameter.Value.TryGetProperty("defaultValue", out _)).Select(parameter => parameter.Name);
            var given = Given().Matches(deployment.Groups["rest"].Value).Select(match => match.Groups[1].Value).ToList();
            Assert.Superset(given.ToHashSet(), Names(template, "parameters"));
            Assert.All(required.Where(name => name != "key"), name => Assert.Contains(name, given)); // the key is in a file
        }
    }

    [Fact]
    public void Nobody_gets_in_with_an_account_key()
    {
        var sources = string.Join('\n', templates.ByFile.Keys.Select(Read));
        Assert.DoesNotMatch("(?i)listKeys|sharedKey:|listCredentials|accountKey|passwordSecretRef", sources);
        Assert.Equal(2, Of("Microsoft.Storage/storageAccounts").Count);
        Assert.All(Of("Microsoft.Storage/storageAccounts"),
            account => Assert.False(account.GetProperty("allowSharedKeyAccess").GetBoolean()));
        Assert.All(Of("Microsoft.Storage/storageAccounts"),
            account => Assert.False(account.GetProperty("allowBlobPublicAccess").GetBoolean()));
        Assert.False(Assert.Single(Of("Microsoft.ContainerRegistry/registries")).GetProperty("adminUserEnabled").GetBoolean());
        var workspace = Assert.Single(Of("Microsoft.OperationalInsights/workspaces"));
        Assert.True(workspace.GetProperty("features").GetProperty("disableLocalAuth").GetBoolean());
        Assert.True(Assert.Single(Of("Microsoft.Insights/components")).GetProperty("DisableLocalAuth").GetBoolean());
    }

    /// <summary>Resource Manager writes down the parameters of a deployment, but for secure ones.</summary>
    [Fact]
    public void Access_keys_are_secure_wherever_they_are_handed_on()
    {
        foreach (var (file, parameter) in ((string, string)[])[("main.bicep", "functionKeys"), ("app/functions.bicep", "keys")])
        {
            var template = templates.ByFile[file];
            var reference = template.GetProperty("parameters").GetProperty(parameter).GetProperty("$ref").GetString()!;
            var type = template.GetProperty("definitions").GetProperty(reference.Split('/')[^1]);
            Assert.Equal("secureObject", type.GetProperty("type").GetString());
            Assert.Equal(Keys.Select(key => key.Secret).Order(), Names(type, "properties").Order());
            Assert.All(type.GetProperty("properties").EnumerateObject(),
                key => Assert.Equal("securestring", key.Value.GetProperty("type").GetString()));
        }
        var eventGrid = templates.ByFile["app/inbox-subscription.bicep"].GetProperty("parameters").GetProperty("key");
        Assert.Equal("securestring", eventGrid.GetProperty("type").GetString());
    }

    /// <summary>The place and the files are those of ContainerAppsSecretsRepository in Azure/azure-functions-host.</summary>
    [Fact]
    public void Keys_are_where_the_functions_host_looks_for_them()
    {
        var template = templates.Functions.GetProperty("template");
        Assert.Equal("ContainerApps", Settings(templates.Functions)["AzureWebJobsSecretStorageType"]);
        var mount = Assert.Single(Container(templates.Functions).GetProperty("volumeMounts").EnumerateArray());
        Assert.Equal("/run/secrets/functions-keys", mount.GetProperty("mountPath").GetString());
        var volume = template.GetProperty("volumes").EnumerateArray()
            .Single(volume => volume.GetProperty("name").GetString() == mount.GetProperty("volumeName").GetString());
        Assert.Equal(Keys, volume.GetProperty("secrets").EnumerateArray()
            .Select(secret => (secret.GetProperty("secretRef").GetString()!, secret.GetProperty("path").GetString()!)));
        Assert.Equal(Keys.Select(key => (key.Secret, $"[parameters('functionKeys')['{key.Secret}']]")),
            templates.Functions.GetProperty("configuration").GetProperty("secrets").EnumerateArray()
                .Select(secret => (secret.GetProperty("name").GetString()!, secret.GetProperty("value").GetString()!)));
        Assert.Contains($"keys=({string.Join(' ', Keys.Select(key => key.Secret))})", Read("deploy"), StringComparison.Ordinal);
    }

    /// <summary>A role on a container lets nobody make that container, so that each must be there before.</summary>
    [Fact]
    public void Functions_may_write_to_every_container_they_name_but_not_to_models()
    {
        var made = templates.Resources
            .Where(resource => CompiledTemplates.Type(resource) == "Microsoft.Storage/storageAccounts/blobServices/containers")
            .Select(resource => resource.GetProperty("name").GetString()!.Split('/')[^1]).ToHashSet();
        var granted = templates.Resources.Where(IsRoleOfFunctions).ToLookup(
            resource => resource.GetProperty("properties").GetProperty("roleDefinitionId").GetString()!.Split('/')[^1],
            resource => OnContainer().Match(resource.GetProperty("id").GetString()!).Groups[1].Value);
        var named = Sources("Functions").SelectMany(text => BlobLiteral().Matches(text))
            .Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Superset(new HashSet<string> { "inbox", "results", "rejected", "jobs", "concepts" }, named);
        Assert.Superset(named, made);
        Assert.Superset(named, granted[BlobContributor].ToHashSet());
        Assert.Equal(["models"], granted[BlobReader]);

        static bool IsRoleOfFunctions(JsonElement resource) =>
            CompiledTemplates.Type(resource) == "Microsoft.Authorization/roleAssignments" && resource.GetProperty("properties")
                .GetProperty("principalId").GetString()!.Contains("id-functions-", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "train", "faces-vae", "--resume", "auto", "--model", "small", "--out", "blob", "--data", "faces:8")]
    [InlineData("param cron = '0 3 * * 1'",
        "train", "faces-vae", "--resume", "auto", "--model", "small", "--out", "blob", "--if-changed", "--data", "faces:8")]
    [InlineData("param sweep = ['model.latent=8,16', 'optimizer.learningRate=1e-3,3e-4']",
        "sweep", "faces-vae", "--set", "model.latent=8,16", "--set", "optimizer.learningRate=1e-3,3e-4",
        "--model", "small", "--out", "blob", "--data", "faces:8")]
    public async Task The_training_program_understands_what_a_job_tells_it(string parameters, params string[] words)
    {
        var resources = await Bicep.ResourcesAsync("app/training-job.bicep", $"""
            param token = 'abcdefghijklm'
            param image = 'training'
            param gpu = 'none'
            param recipe = 'faces-vae'
            param model = 'small'
            param data = 'faces:8'
            param epochs = 1
            param tf32 = true
            {parameters}
            """);
        var job = Assert.Single(resources).GetProperty("properties");
        var told = Container(job).GetProperty("args").EnumerateArray().Select(word => word.GetString()!).ToArray();
        Assert.Equal([.. words, "--epochs", "1", "--tf32"], told);

        // No storage is named here: it gets as far as asking for it, so it knew every word.
        await using var run = await Command.RunAsync(Command.LocalCloud, told);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("VaeStorage__blobServiceUri", run.Output, StringComparison.Ordinal);
        Assert.Contains("VaeStorage__blobServiceUri", Settings(job).Keys);
    }

    [Fact]
    public async Task Event_Grid_probes_and_the_timer_name_what_the_functions_have()
    {
        var metadata = await Bicep.ReadAsync(Path.Combine(Installation.Functions, "functions.metadata"));
        var triggers = metadata.EnumerateArray().ToDictionary(function => function.GetProperty("name").GetString()!,
            function => function.GetProperty("bindings").EnumerateArray().First());
        Assert.StartsWith("inbox/", triggers["Inbox"].GetProperty("path").GetString(), StringComparison.Ordinal);
        Assert.Equal("%VaeJobRecoverySchedule%", triggers["JobRecovery"].GetProperty("schedule").GetString());
        Assert.Contains("VaeJobRecoverySchedule", Settings(templates.Functions).Keys);
        var subscription = templates.ByFile["app/inbox-subscription.bicep"].GetRawText();
        Assert.Contains("functionName=Host.Functions.Inbox&code=", Regex.Unescape(subscription), StringComparison.Ordinal);
        Assert.Contains("/blobServices/default/containers/inbox/", subscription, StringComparison.Ordinal);
        var routes = triggers.Values.Where(trigger => trigger.TryGetProperty("route", out _))
            .Select(trigger => $"/api/{trigger.GetProperty("route").GetString()}").ToHashSet();
        var probes = Container(templates.Functions).GetProperty("probes").EnumerateArray()
            .Select(probe => probe.GetProperty("httpGet").GetProperty("path").GetString()!).ToList();
        Assert.Equal(3, probes.Count);
        Assert.Superset(probes.ToHashSet(), routes);
    }

    /// <summary>A setting that the functions do not know stops their start.</summary>
    [Fact]
    public void Every_setting_of_serving_is_one_that_the_functions_know()
    {
        var options = Sources("Functions").Single(text => text.Contains("class ServingOptions", StringComparison.Ordinal)
            || text.Contains("record ServingOptions", StringComparison.Ordinal));
        var settings = Settings(templates.Functions).Keys
            .Where(name => name.StartsWith("Serving__", StringComparison.Ordinal)).ToList();
        Assert.Contains("Serving__LargestBatch", settings);
        Assert.All(settings, name => Assert.Matches($@"public \w+ {name["Serving__".Length..]} \{{ get; init; \}}", options));
    }

    [Fact]
    public async Task Whatever_serves_or_trains_has_resources_for_every_profile()
    {
        var profiles = templates.ByFile["main.bicep"].GetProperty("parameters").GetProperty("gpu").GetProperty("allowedValues")
            .EnumerateArray().Select(profile => profile.GetString()!).ToHashSet();
        foreach (var file in (string[])["app/functions.bicep", "app/training-job.bicep"])
            Assert.Equal(profiles.Order(), Names(templates.ByFile[file].GetProperty("variables"), "resources").Order());
        Assert.Equal(("Consumption-GPU-NC8as-T4", 8, "64"), Serving(templates.Functions));

        var onProcessors = await Bicep.ResourcesAsync("app/functions.bicep", """
            param token = 'abcdefghijklm'
            param location = 'here'
            param tags = {}
            param image = 'functions'
            param maxReplicas = 1
            param keys = { 'host-master': '1', 'host-function-default': '2', 'host-systemkey-blobs-extension': '3' }
            """);
        Assert.Equal(("Consumption", 2, "16"), Serving(Assert.Single(onProcessors).GetProperty("properties")));

        static (string Profile, int Processors, string Batch) Serving(JsonElement app) =>
            (app.GetProperty("workloadProfileName").GetString()!,
                Container(app).GetProperty("resources").GetProperty("cpu").GetInt32(), Settings(app)["Serving__LargestBatch"]);
    }

    [Fact]
    public void The_alert_on_old_models_reads_the_line_that_training_writes()
    {
        var training = string.Join('\n', Sources("TrainingJob"));
        Assert.Matches(@"\$""serving: \{name\} \{\w+\.Version\}, promoted \{", training);
        Assert.Contains(":0} days ago\"", training, StringComparison.Ordinal);
        var queries = Of("Microsoft.Insights/scheduledQueryRules")
            .Select(rule => rule.GetProperty("criteria").GetProperty("allOf")[0].GetProperty("query").GetString()!);
        const string Line = "'serving: ' Model ' ' Version ', promoted ' Days:int ' days ago'";
        Assert.Contains(queries, query => query.Contains(Line, StringComparison.Ordinal)
            && query.Contains("Days >= 30", StringComparison.Ordinal));
    }

    /// <summary>The properties of all resources of a type.</summary>
    List<JsonElement> Of(string type) => [.. templates.Resources.Where(resource => CompiledTemplates.Type(resource) == type)
        .Select(resource => resource.GetProperty("properties"))];

    static JsonElement Container(JsonElement app) =>
        Assert.Single(app.GetProperty("template").GetProperty("containers").EnumerateArray());

    static Dictionary<string, string> Settings(JsonElement app) => Container(app).GetProperty("env").EnumerateArray()
        .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("value").GetString()!);

    static HashSet<string> Names(JsonElement element, string property) =>
        [.. element.GetProperty(property).EnumerateObject().Select(entry => entry.Name)];

    static string Read(string file) => File.ReadAllText(Path.Combine(Scripts.Folder, file));

    static IEnumerable<string> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(Installation.Root, "src", project), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText);

    [GeneratedRegex(@"^ *outputs ([\w ]+)$", RegexOptions.Multiline)]
    private static partial Regex Outputs();

    [GeneratedRegex(@"--template-file \S*/infra/(?<file>\S+)(?<rest>.*)")]
    private static partial Regex Deployment();

    [GeneratedRegex("[ \"'](\\w+)=")]
    private static partial Regex Given();

    [GeneratedRegex(@"/containers/(\w+)/providers/")]
    private static partial Regex OnContainer();

    /// <summary>A path that begins with a container's name; neither a route nor what lies below a job's folder.</summary>
    [GeneratedRegex(@"(?<!Route =\s+|job, \$)""([a-z]+)/(?:\{|_\w+/"")")]
    private static partial Regex BlobLiteral();
}
