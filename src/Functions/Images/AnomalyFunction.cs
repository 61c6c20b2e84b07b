using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Says how strange images are to a model, where, and what that means beside the images it was tested with.</summary>
public sealed class AnomalyFunction(ModelCalls calls)
{
    static readonly Field Show = Field.Choice("show", "Which pictures an answer other than JSON has: heat maps, the images with "
        + "their heat maps over them, or the reconstructions.", "heat", "overlay", "reconstruction");
    static readonly Field[] Fields = [Field.Images, Show, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Anomaly")]
    [Describes("Score how strange images are to the model, with heat maps.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<AnomalyAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/anomaly")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var originals = await call.ImagesAsync(Field.Images);
        var results = await Reconstruction.OfAsync(
            originals, call.Labels(originals.Count), call.Session, cancellation, judged: true);
        var shown = call.Content.Choice(Show);
        Image[] maps = [.. results.Select(result => Anomaly.HeatMap(result.Original.Image, result.Image))];

        call.DescribeResizing(originals);
        call.Describe("X-Anomaly", string.Join(
            ", ", results.Select(result => result.Error.ToString("G6", CultureInfo.InvariantCulture))));
        Judgement[] judgements = [.. results.Select(result => Judgement.Of(result, call.Session))];
        call.Describe("X-Verdict", string.Join(", ", judgements.Select(judgement => judgement.Verdict)));
        Image[] pictures = [.. results.Select((result, i) => shown switch
        {
            "overlay" => Anomaly.Overlay(result.Original.Image, maps[i]),
            "reconstruction" => result.Image,
            _ => maps[i],
        })];
        return call.Pictures(pictures, Answers.Square(pictures.Length), () => new AnomalyAnswer(call.Model, call.Version,
            [.. results.Select((result, i) => JudgedImage.Of(result, call.Session, maps[i], judgements[i]))]));
    }
}

/// <summary>How strange images are.</summary>
public sealed record AnomalyAnswer(string Model, string Version, IReadOnlyList<JudgedImage> Images);

/// <summary>How strange an image is.</summary>
/// <param name="Score">The mean squared difference between the image and its reconstruction, pixels in [0, 1].</param>
/// <param name="Percentile">Its place among the scores of the version's test images, 0 to 1; absent where the version is not
/// calibrated.</param>
/// <param name="Verdict">ordinary, unusual, anomalous, or not calibrated: where there were fewer than 100 test images. It goes by
/// what is strangest about the image.</param>
/// <param name="CalibratedOn">How many test images the percentile goes by, or there would be to go by.</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
/// <param name="HeatMap">Where it is strange: a PNG.</param>
/// <param name="Reconstruction">What the model makes of it: a PNG.</param>
/// <param name="Overlay">The image in grey with the heat map over it: a PNG.</param>
/// <param name="CodeScore">How unlikely the image's code is, −log p in nats; absent where nothing says which are likely.</param>
/// <param name="CodePercentile">That score's place among those of the version's test images, 0 to 1; absent where there is
/// none.</param>
/// <param name="Strangest">What the verdict goes by, the strangest about the image beside the version's test images: error (it
/// does not come back, or too well), code (an unlikely one, or far too likely), contrast, sharpness or colour (too much or too
/// little); absent where there is no verdict, and where it goes by the error alone.</param>
/// <param name="Reason">Why it is not calibrated: how many test images there were, and how many a verdict takes; absent where
/// there is a verdict.</param>
public sealed record JudgedImage(
    double Score, double? Percentile, string Verdict, int CalibratedOn, string OriginalSize, bool Resized, byte[] HeatMap,
    byte[] Reconstruction, byte[] Overlay, double? CodeScore, double? CodePercentile, string? Strangest, string? Reason)
{
    internal static JudgedImage Of(Reconstruction result, ModelSession session, Image map, Judgement judgement) =>
        new(result.Error, judgement.Percentile, judgement.Verdict, session.CalibratedOn, result.Original.OriginalSize,
            result.Original.Resized, ImageCodec.EncodePng(map), ImageCodec.EncodePng(result.Image),
            ImageCodec.EncodePng(Anomaly.Overlay(result.Original.Image, map)), result.Surprise, judgement.CodePercentile,
            judgement.Strangest, judgement.Percentile is not null ? null
            : session.CalibratedOn < AnomalyCalibration.EnoughImages ? AnomalyCalibration.TooFew(session.CalibratedOn)
            : "The version was published without the scores of its test images; publish it from a training.");
}

/// <summary>What an image's scores mean beside those of the version's test images; see <see cref="JudgedImage"/>.</summary>
readonly record struct Judgement(double? Percentile, double? CodePercentile, string Verdict, string? Strangest)
{
    /// <summary>A model published without calibration, or with one from too few images, has no verdict.</summary>
    public static Judgement Of(Reconstruction result, ModelSession session)
    {
        if (session.Anomaly is not { } calibration || session.CalibratedOn < AnomalyCalibration.EnoughImages)
            return new(null, null, "not calibrated", null);
        var percentile = Anomaly.Percentile(calibration, result.Error);
        if (calibration.Joint is not { Count: > 0 } joint)
            return new(percentile, null, Anomaly.Verdict(percentile), null); // early builds judged by the error alone
        var strangeness =
            Anomaly.Joint(calibration, result.Error, result.Surprise, ImageTraits.Of(result.Original.Image));
        return new(percentile,
            result is { Surprise: { } surprise } && calibration.Codes is { } codes ? Anomaly.Percentile(codes, surprise) : null,
            Anomaly.Verdict(Anomaly.Percentile(joint, strangeness.Steps)), strangeness.By);
    }
}
