using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Binds requests to models: what every function on a model begins with.</summary>
public sealed class ModelCalls(
    ModelProvider models, NamedVersions versions, RequestImages images, IOptions<ServingOptions> options)
{
    /// <summary>Chooses the answer's form, leases the model, which the answer's headers name from then on, and reads the
    /// request, which may name another version.</summary>
    /// <param name="fields">What the request may hold.</param>
    /// <param name="offers">The forms that there are, the usual one first; empty where it is JSON, whatever is asked for.</param>
    /// <exception cref="RequestException">404: there is no such model or version. 406: no such form. Else what
    /// <see cref="RequestReader"/> refuses.</exception>
    public async Task<ModelCall> BindAsync(
        HttpRequest request, string model, Field[] fields, AnswerKind[] offers, CancellationToken cancellation)
    {
        var kind = offers is [] ? AnswerKind.Json : Accept.Choose(request, offers);
        var session = await models.LeaseAsync(model, cancellation);
        try
        {
            var response = request.HttpContext.Response;
            response.Headers["X-Model"] = session.Model;
            response.Headers["X-Version"] = session.Version;
            var content = await RequestReader.ReadAsync(request, fields, options.Value.MaxImages, cancellation);
            if (content.Text(Field.Version) is { } version && version != session.Version)
            {
                var named = await versions.LeaseAsync(model, version, cancellation);
                session.Dispose();
                session = named;
                response.Headers["X-Version"] = session.Version;
            }
            return new ModelCall(kind, session, content, response, images, options.Value, cancellation);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}

/// <summary>A request to a model, and the version that answers it, leased until the end.</summary>
public sealed class ModelCall(AnswerKind kind, ModelSession session, RequestContent content, HttpResponse response,
    RequestImages images, ServingOptions options, CancellationToken cancellation) : IDisposable
{
    /// <summary>Labels that a header names, at most.</summary>
    const int LabelsShown = 64;

    public ModelSession Session => session;

    public RequestContent Content => content;

    public ServingOptions Options => options;

    public CancellationToken Cancellation => cancellation;

    public string Model => session.Model;

    public string Version => session.Version;

    /// <summary>Whether the answer is one PNG.</summary>
    public bool AsPng => kind == AnswerKind.Png;

    /// <summary>All images of a field, fitted to the model; at least one.</summary>
    /// <exception cref="RequestException">400 or 413: no image, too many or too large ones, or a reference to what is not
    /// there.</exception>
    /// <exception cref="ImageFormatException">One is not an image.</exception>
    public Task<IReadOnlyList<FittedImage>> ImagesAsync(Field field) =>
        images.ReadAsync(content, field, session.Input, cancellation);

    /// <summary>An image that lies beside the model's, with one channel.</summary>
    public async Task<FittedImage> MaskAsync(Field field)
    {
        var grey = session.Input with { Shape = session.Shape with { Channels = 1 } };
        return (await images.ReadAsync(content, field, grey, cancellation))[0];
    }

    /// <summary>A label for each of some images or latents; null where the model takes none.</summary>
    /// <exception cref="RequestException">400: a label is missing, unknown or of no use, or their number does not
    /// fit.</exception>
    public long[]? Labels(int count) => Described("X-Label", content.Labels(session, count));

    /// <summary>The same, but one label after the other where none is given.</summary>
    public long[]? LabelsOrAll(int count) => Described("X-Label", content.LabelsOrAll(session, count));

    /// <summary>What the label of a number is called.</summary>
    public string? LabelName(long? label) => label is { } number ? session.Labels[(int)number] : null;

    /// <summary>The labels of another field, said in the header X-Label-As; those given where it is absent.</summary>
    public long[]? LabelsAs(Field field, long[]? otherwise, int count) =>
        content.Has(field) ? Described("X-Label-As", content.Labels(field, session, count)) : otherwise;

    /// <summary>The posterior of each image.</summary>
    public Task<Posterior> EncodeAsync(IReadOnlyCollection<FittedImage> originals, long[]? labels) =>
        session.EncodeAsync(originals, labels, cancellation);

    /// <summary>The image of each latent vector.</summary>
    public Task<Image[]> DecodeAsync(IReadOnlyCollection<float[]> latents, long[]? labels) =>
        session.DecodeAsync(latents, labels, cancellation);

    /// <exception cref="RequestException">400: the answer would hold more images or pixels than the limits.</exception>
    public void CheckAnswer(long count)
    {
        var most = Math.Min(options.MaxSampleCount, options.MaxImagePixels / (session.Shape.Height * session.Shape.Width));
        if (count > most)
        {
            throw RequestException.Invalid(
                $"The answer would hold {Plural.Of(count, "image")} of {session.Shape}; at most {most} are given at once. "
                + "Ask for fewer.");
        }
    }

    /// <summary>Says in the header what makes the answer again.</summary>
    public void DescribeSeed(long seed) => response.Headers["X-Seed"] = $"{seed}";

    /// <summary>Says in the header which images did not have the model's size: <c>640x480 -> 32x32</c>, with their numbers where
    /// there are several.</summary>
    public void DescribeResizing(IReadOnlyList<FittedImage> originals)
    {
        var resized = originals.Index().Where(entry => entry.Item.Resized).Select(entry =>
            $"{(originals.Count > 1 ? $"{entry.Index + 1}: " : "")}{entry.Item.OriginalSize} -> "
                + $"{session.Shape.Width}x{session.Shape.Height}");
        if (string.Join(", ", resized) is { Length: > 0 } text)
            response.Headers["X-Resized"] = text;
    }

    /// <summary>Says something in a header of the function's own.</summary>
    public void Describe(string header, string value) => response.Headers[header] = value;

    /// <summary>Says in the header X-Concept which concept was used, after those before it.</summary>
    public Concept Used(Concept concept)
    {
        response.Headers.AppendCommaSeparatedValues("X-Concept", Uri.EscapeDataString(concept.Name));
        return concept;
    }

    /// <summary>Says in a header which labels were used: one name where all are the same, else a name for each image. What a
    /// header cannot hold is percent-encoded.</summary>
    long[]? Described(string header, long[]? labels)
    {
        if (labels is { Length: > 0 })
        {
            var names = (labels.All(label => label == labels[0]) ? labels[..1] : labels).Take(LabelsShown)
                .Select(label => Uri.EscapeDataString(session.Labels[(int)label]));
            response.Headers[header] = string.Join(", ", names);
        }
        return labels;
    }

    /// <summary>Images in the form that was asked for: a grid, a ZIP, an animation, or JSON.</summary>
    /// <param name="columns">Of the grid.</param>
    /// <param name="milliseconds">How long an animation shows each image.</param>
    public Answer<T> Pictures<T>(IReadOnlyList<Image> pictures, int columns, Func<T> json, int milliseconds = 100) =>
        kind == AnswerKind.Json
            ? json()
            : new Answer<T>(Answers.Pictures(kind, pictures, columns, milliseconds));

    public void Dispose() => session.Dispose();
}
