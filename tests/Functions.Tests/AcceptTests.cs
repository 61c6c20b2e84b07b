using Microsoft.AspNetCore.Http;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class AcceptTests
{
    [Theory]
    [InlineData(null, AnswerKind.Png)]
    [InlineData("*/*", AnswerKind.Png)]
    [InlineData("application/json", AnswerKind.Json)]
    [InlineData("application/*", AnswerKind.Json)]
    [InlineData("image/png;q=0.5, application/zip", AnswerKind.Zip)]
    [InlineData("application/*;q=0.1, application/zip;q=0.9, */*;q=0.2", AnswerKind.Zip)]
    [InlineData("text/html, */*;q=0.1", AnswerKind.Png)]
    public void What_is_liked_best_is_chosen_and_of_equals_the_first(string? header, AnswerKind kind) =>
        Assert.Equal(kind, Choose(header));

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/png;q=0")]
    [InlineData("nonsense")]
    public void What_is_not_there_is_refused_with_what_there_is(string header)
    {
        var fault = Assert.Throws<RequestException>(() => Choose(header));
        Assert.Equal(406, fault.Status);
        Assert.Contains("image/png, application/json, application/zip", fault.Message, StringComparison.Ordinal);
    }

    static AnswerKind Choose(string? header)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Accept = header;
        return Accept.Choose(request, Accept.Pictures);
    }
}
