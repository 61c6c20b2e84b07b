using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>The page that shows the description, and its script.</summary>
[Collection(Serving.Name)]
public sealed class DocsTests(ServingFixture serving)
{
    [Fact]
    public async Task The_page_and_its_script_are_served_with_a_strict_policy()
    {
        using var response = await serving.Http.GetAsync("docs");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("script-src 'self';", response.Header("Content-Security-Policy"), StringComparison.Ordinal);

        using var script = await serving.Http.GetAsync("docs/scalar.js");
        Assert.Equal("text/javascript", script.Content.Headers.ContentType!.MediaType);
        Assert.Contains("@scalar/api-reference", await script.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}

/// <summary>The same without a host.</summary>
public sealed class DocsPageTests
{
    static readonly DefaultHttpContext Http = new();

    [Fact]
    public void The_page_names_no_other_host_and_runs_no_script_of_its_own()
    {
        var page = Assert.IsType<ContentResult>(DocsFunctions.Show(Http.Request)).Content!;
        Assert.DoesNotContain("//", page, StringComparison.Ordinal);
        var scripts = Regex.Matches(page, "<script([^>]*)>([^<]*)</script>");
        Assert.Equal(2, scripts.Count);
        Assert.All(scripts, script => Assert.Empty(script.Groups[2].Value));
        Assert.Contains("\"withDefaultFonts\": false", page, StringComparison.Ordinal);
        Assert.Contains("\"telemetry\": false", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_policy_lets_nothing_leave_for_another_host()
    {
        var context = new DefaultHttpContext();
        DocsFunctions.Show(context.Request);
        var directives = context.Response.Headers.ContentSecurityPolicy.ToString().Split("; ")
            .ToDictionary(part => part.Split(' ')[0], part => part.Split(' ')[1..]);
        Assert.Equal(["'none'"], directives["default-src"]);
        Assert.Equal(["'self'"], directives["script-src"]);
        Assert.Equal(["'self'"], directives["connect-src"]);
        string[] local = ["'self'", "'none'", "'unsafe-inline'", "data:", "blob:"];
        Assert.All(directives, directive => Assert.Subset(local.ToHashSet(), directive.Value.ToHashSet()));
    }

    [Theory]
    [InlineData("gzip, br", "gzip")]
    [InlineData("br;q=1.0, gzip;q=0", "")]
    [InlineData("", "")]
    public async Task The_script_is_packed_where_that_is_understood(string accepted, string coding)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.AcceptEncoding = accepted;
        var result = DocsFunctions.GiveScript(context.Request);
        Assert.Equal(coding, context.Response.Headers.ContentEncoding.ToString());

        using Stream body = result is FileContentResult packed
            ? new GZipStream(new MemoryStream(packed.FileContents), CompressionMode.Decompress)
            : Assert.IsType<FileStreamResult>(result).FileStream;
        using var reader = new StreamReader(body, Encoding.UTF8);
        Assert.Contains("@scalar/api-reference", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }
}
