using System.Net;
using System.Security.Cryptography;

namespace VaeFunctions.Tests;

/// <summary>The files of versions over HTTP.</summary>
[Collection(Serving.Name)]
public sealed class FilesTests(ServingFixture serving)
{
    const string Folder = $"models/{ServingFixture.Model}/versions/v1/files";

    [Fact]
    public async Task A_file_of_the_manifest_is_given_with_its_hash_to_be_kept_for_ever()
    {
        using var response = await serving.Http.GetAsync($"{Folder}/decoder.onnx");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(TinyModel.Decoder(), await response.Content.ReadAsByteArrayAsync());
        var manifest = await serving.Registry.ReadManifestAsync(ServingFixture.Model, "v1");
        var listed = manifest.Files.Single(file => file.Name == "decoder.onnx");
        Assert.Equal($"\"{listed.Sha256}\"", response.Header("ETag"));
        Assert.True(response.Headers.CacheControl!.Private);
        Assert.Contains("immutable", response.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains("sandbox", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_the_file_already_is_told_so_without_it()
    {
        using var first = await serving.Http.GetAsync($"{Folder}/encoder.onnx");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Folder}/encoder.onnx");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var again = await serving.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task The_manifest_is_given_too()
    {
        var manifest = await serving.Http.SendAsync(HttpMethod.Get, $"{Folder}/manifest.json").JsonAsync();
        Assert.Equal("v1", (string)manifest["version"]!);
    }

    [Fact]
    public async Task The_manifest_has_its_hash_and_may_be_kept_for_ever_as_any_file()
    {
        using var response = await serving.Http.GetAsync($"{Folder}/manifest.json");
        var hash = Convert.ToHexStringLower(SHA256.HashData(await response.Content.ReadAsByteArrayAsync()));
        Assert.Equal($"\"{hash}\"", response.Header("ETag"));
        Assert.Contains("immutable", response.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains("sandbox", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Folder}/manifest.json");
        request.Headers.IfNoneMatch.Add(response.Headers.ETag!);
        using var again = await serving.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_not_found_even_by_who_has_one_of_an_empty_tag()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Folder}/nothing.bin");
        request.Headers.IfNoneMatch.Add(new("\"\""));
        using var answer = await serving.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData($"{Folder}/weights.safetensors", "has no file weights.safetensors; it has")]
    [InlineData($"{Folder}/..%2F..%2Fcurrent.json", "has no file")]
    [InlineData($"models/{ServingFixture.Model}/versions/v9/files/decoder.onnx", "no complete version v9")]
    [InlineData($"models/{ServingFixture.Model}/versions/..%5C/files/decoder.onnx", "is not a version")]
    [InlineData("models/nobody/versions/v1/files/decoder.onnx", "There is no model nobody")]
    [InlineData("models/NOBODY/versions/v1/files/decoder.onnx", "There is no model \"NOBODY\"")]
    public async Task What_no_manifest_lists_cannot_be_asked_for(string path, string reason) =>
        Assert.Contains(
            reason, await serving.Http.SendAsync(HttpMethod.Get, path).ProblemAsync(404), StringComparison.Ordinal);

    [Fact]
    public async Task What_the_manifest_lists_and_the_storage_lacks_is_no_fault_of_the_request()
    {
        await TinyModel.PublishAsync(serving.Registry, "damaged", "v1");
        await serving.Registry.Store.DeleteAsync("models/damaged/v1/decoder.onnx");
        var reason = await serving.Http
            .SendAsync(HttpMethod.Get, "models/damaged/versions/v1/files/decoder.onnx").ProblemAsync(503);
        Assert.Contains("is missing, but the manifest lists it", reason, StringComparison.Ordinal);
    }
}
