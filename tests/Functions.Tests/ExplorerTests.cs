using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

/// <summary>The explorer's page and its files, as they are served.</summary>
[Collection(Serving.Name)]
public sealed class ExplorerTests(ServingFixture serving)
{
    static string Source(string file) => File.ReadAllText(Path.Combine(FunctionsApp.Folder, "wwwroot", file));

    [Fact]
    public async Task The_page_has_a_strict_policy_and_no_script_or_style_of_its_own()
    {
        using var response = await serving.Http.GetAsync("explorer");
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        var policy = response.Header("Content-Security-Policy");
        Assert.Contains("script-src 'self' 'wasm-unsafe-eval';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", policy, StringComparison.Ordinal);
        var page = await response.Content.ReadAsStringAsync();
        Assert.All(Regex.Matches(page, "<script([^>]*)>(.*?)</script>", RegexOptions.Singleline),
            script => Assert.Empty(script.Groups[2].Value));
        Assert.DoesNotMatch("""<style| style=| on[a-z]+=|(src|href)="(https?:)?//""", page);
    }

    [Fact]
    public async Task The_page_with_a_slash_behind_it_leads_to_the_one_without()
    {
        using var response = await serving.Http.GetAsync("explorer/");
        Assert.EndsWith("/api/explorer", response.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api")]
    [InlineData("/api/")]
    public async Task The_address_alone_leads_to_the_page_and_names_the_others(string path)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var response = await http.GetAsync(new Uri(serving.Http.BaseAddress!, path));

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal("/api/explorer", response.Header("Location"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("/api/docs", text, StringComparison.Ordinal);
        Assert.Contains("/api/health/ready", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app.js", "text/javascript")]
    [InlineData("engine.js", "text/javascript")]
    [InlineData("app.css", "text/css")]
    [InlineData("icon.svg", "image/svg+xml")]
    [InlineData("ort.wasm.min.mjs", "text/javascript")]
    [InlineData("ort-wasm-simd-threaded.mjs", "text/javascript")]
    [InlineData("ort-wasm-simd-threaded.wasm", "application/wasm")]
    public async Task Its_files_are_packed_and_known_again(string file, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"explorer/{file}");
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using var response = await serving.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        Assert.Contains("'wasm-unsafe-eval'", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        await using var packed = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var whole = new MemoryStream();
        await packed.CopyToAsync(whole);
        Assert.Equal(File.ReadAllBytes(Path.Combine(FunctionsApp.Folder, "wwwroot", file)), whole.ToArray());

        using var again = new HttpRequestMessage(HttpMethod.Get, $"explorer/{file}");
        again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
        using var known = await serving.Http.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    [Theory]
    [InlineData("index.html")]
    [InlineData("nothing.js")]
    [InlineData("..%2Fhost.json")]
    public async Task Nothing_else_can_be_asked_for(string file) => Assert.Contains(
        "The page has no file", await serving.Http.SendAsync(HttpMethod.Get, $"explorer/{file}").ProblemAsync(404),
        StringComparison.Ordinal);

    [Fact]
    public void The_page_loads_what_is_there_and_its_own_code_is_small()
    {
        var own = Directory.GetFiles(Path.Combine(FunctionsApp.Folder, "wwwroot"))
            .Where(path => !Path.GetFileName(path).StartsWith("ort", StringComparison.Ordinal)).ToArray();
        Assert.InRange(own.Sum(path => new FileInfo(path).Length), 1, 150_000);
        foreach (var script in own.Where(path => path.EndsWith(".js", StringComparison.Ordinal)).Select(Path.GetFileName))
        {
            var imports = Regex.Matches(Source(script!), "from './([^']+)'").Select(match => match.Groups[1].Value);
            Assert.All(imports, file => Assert.True(
                File.Exists(Path.Combine(FunctionsApp.Folder, "wwwroot", file)), $"{script} imports {file}"));
        }
    }
}
