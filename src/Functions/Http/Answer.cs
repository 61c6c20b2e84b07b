using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Infrastructure;

namespace VaeFunctions.Serving;

/// <summary>An answer in JSON of the form of a record or, where the request prefers it, in pictures. What openapi.json says of
/// the JSON is read off this type.</summary>
public sealed class Answer<T>(IActionResult result) : IStatusCodeActionResult
{
    public int? StatusCode => (result as IStatusCodeActionResult)?.StatusCode;

    public static implicit operator Answer<T>(T value) => new(Answers.Json(value));

    public Task ExecuteResultAsync(ActionContext context) => result.ExecuteResultAsync(context);
}
