using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

public sealed class HttpExamplesTests(ServeFixture fixture) : IClassFixture<ServeFixture>, IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableTheory]
    [InlineData("sh", "curl")]
    [InlineData("python", "python3")]
    [InlineData("js", "node")]
    public async Task Every_example_of_the_page_works_and_gives_its_picture(string language, string program)
    {
        Skip.IfNot(await IsThereAsync(program), $"There is no {program}.");
        await using var examples = await Command.RunAsync(Path.Combine(Installation.Root, "docs/http-examples"),
            "--url", $"http://localhost:{fixture.Session.Port}", "--model", ServeFixture.Model, "--out", folder.Path,
            "--language", language);

        Assert.True(examples.ExitCode == 0, examples.Output);
        var pictures = Directory.GetFiles(folder.Path).Order().ToArray();
        Assert.Equal(Directory.GetFiles(Path.Combine(Installation.Root, "docs/images/http")).Select(Path.GetFileName).Order(),
            pictures.Select(Path.GetFileName));
        Assert.All(pictures, picture => ImageCodec.Decode(File.ReadAllBytes(picture)));
    }

    static async Task<bool> IsThereAsync(string program)
    {
        await using var version = await Command.RunAsync("sh", "-c", $"command -v {program} && {program} --version");
        return version.ExitCode == 0;
    }
}
