using System.Text;
using Microsoft.AspNetCore.Http;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>How the fields of requests are found and checked, without a host.</summary>
public sealed class RequestReaderTests
{
    const int MaxImages = 4;

    static readonly Field Count = Field.Whole("count", 1, 9, "How many.");
    static readonly Field[] Known = [Field.Images, Count, Field.Label];

    [Theory]
    [InlineData("?count=3", null)]
    [InlineData("?code=key&count=3", null)] // the function key is the host's affair
    [InlineData("", """{"count": 3}""")]
    [InlineData("", """{"count": "3"}""")]
    public async Task A_field_may_stand_in_the_query_or_in_the_body(string query, string? json)
    {
        var content = await ReadAsync(Known, json is null ? null : "application/json", json ?? "", query);
        Assert.Equal(3, content.Whole(Count));
        Assert.False(content.Has(Field.Label));
    }

    [Fact]
    public async Task A_form_gives_its_fields_and_its_files_in_order()
    {
        const string form = "--x\r\nContent-Disposition: form-data; name=\"images\"; filename=\"a\"\r\n\r\none\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"images\"; filename=\"b\"\r\n\r\ntwo\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n[0, 1]\r\n--x--\r\n";
        var content = await ReadAsync(Known, "multipart/form-data; boundary=x", form);
        Assert.Equal("""["part:images[0]","part:images[1]"]""", content[Field.Images]!.ToJsonString());
        Assert.Equal("two", Encoding.UTF8.GetString(content.Part("images[1]")!));
        Assert.Equal("[0,1]", content[Field.Label]!.ToJsonString());
    }

    [Fact]
    public async Task A_raw_image_is_the_value_of_the_field_that_takes_images()
    {
        var content = await ReadAsync(Known, "image/png", "bytes");
        Assert.Equal("bytes", Encoding.UTF8.GetString(content.Part("images[0]")!));
    }

    [Theory]
    [InlineData("?count=3", "application/json", """{"count": 3}""", 400, "more than once")]
    [InlineData("", "application/json", """{"cuont": 3}""", 400, "\"cuont\" is not known here; there is images, count, label")]
    [InlineData("", "application/json", "[1]", 400, "no object")]
    [InlineData("", "application/json", "{", 400, "not JSON")]
    [InlineData("?label=[1", null, "", 400, "begins like JSON")]
    [InlineData("", "multipart/form-data", "x", 400, "boundary")]
    [InlineData("", "text/plain", "x", 415,
        "of any media type, several as multipart/form-data, or application/json with images, count, label")]
    public async Task What_cannot_be_read_is_explained(string query, string? type, string body, int status, string hint)
    {
        var fault = await Assert.ThrowsAsync<RequestException>(() => ReadAsync(Known, type, body, query));
        Assert.Equal(status, fault.Status);
        Assert.Contains(hint, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_no_field_asks_for_is_refused()
    {
        const string form = "--x\r\nContent-Disposition: form-data; name=\"face\"; filename=\"a\"\r\n\r\none\r\n--x--\r\n";
        var fault = await Assert.ThrowsAsync<RequestException>(() => ReadAsync(Known, "multipart/form-data; boundary=x", form));
        Assert.Contains("mention part:face", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("é.png")]
    [InlineData("a+b & <c>")]
    public async Task A_file_is_asked_for_by_its_name_whatever_letters_that_has(string name)
    {
        var content = await ReadAsync(Known, "multipart/form-data; boundary=x", FilePart(name)
            + $"--x\r\nContent-Disposition: form-data; name=\"images\"\r\n\r\n[\"part:{name}\"]\r\n--x--\r\n");
        Assert.Equal("one", Encoding.UTF8.GetString(content.Part(name)!));
    }

    [Fact]
    public async Task A_file_whose_name_only_begins_one_that_is_asked_for_is_refused()
    {
        var form = FilePart("a") + FilePart("ab")
            + "--x\r\nContent-Disposition: form-data; name=\"images\"\r\n\r\n[\"part:ab\"]\r\n--x--\r\n";
        var fault = await Assert.ThrowsAsync<RequestException>(() => ReadAsync(Known, "multipart/form-data; boundary=x", form));
        Assert.Contains("file \"a\" is not asked for", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_files_of_a_form_are_counted_as_they_come()
    {
        // The form breaks off behind one image too many, so that only who counts there sees their number.
        var form = string.Concat(Enumerable.Repeat(FilePart("images"), MaxImages + 1)) + "--x\r\nbroken";
        var fault = await Assert.ThrowsAsync<RequestException>(() => ReadAsync(Known, "multipart/form-data; boundary=x", form));
        Assert.Equal(413, fault.Status);
        Assert.Contains($"send at most {MaxImages}", fault.Message, StringComparison.Ordinal);
    }

    static string FilePart(string name) =>
        $"--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\none\r\n";

    static Task<RequestContent> ReadAsync(Field[] known, string? type, string body, string query = "")
    {
        var request = new DefaultHttpContext().Request;
        request.QueryString = new(query);
        request.ContentType = type;
        request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        request.ContentLength = request.Body.Length;
        return RequestReader.ReadAsync(request, known, MaxImages, default);
    }
}
