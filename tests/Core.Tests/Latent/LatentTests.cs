using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Latent;

public sealed class LatentTests
{
    [Fact]
    public void A_way_meets_its_stops_and_goes_in_equal_steps()
    {
        var path = Interpolation.Path([[0, 0], [4, 0], [4, 8]], 5, InterpolationKind.Lerp);
        Assert.Equal([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [4, 2], [4, 4], [4, 6], [4, 8]], path);
    }

    [Fact]
    public void The_great_circle_keeps_the_length_where_the_straight_line_does_not()
    {
        var slerp = Interpolation.Slerp([2, 0], [0, 2], 0.5f);
        Assert.Equal(Math.Sqrt(2), slerp[0], 1e-6); // 2 cos 45°
        Assert.Equal(Math.Sqrt(2), slerp[1], 1e-6);
        Assert.Equal([1f, 1f], Interpolation.Lerp([2, 0], [0, 2], 0.5f));
    }

    [Theory]
    [InlineData(new float[] { 1, 2 }, new float[] { 2, 4 })] // the same direction
    [InlineData(new float[] { 1, 0 }, new float[] { -1, 0 })] // opposite ones: any circle would do
    [InlineData(new float[] { 0, 0 }, new float[] { 3, 1 })] // the origin has no direction
    public void Where_there_is_no_single_great_circle_the_way_is_straight(float[] from, float[] to) =>
        Assert.Equal(Interpolation.Lerp(from, to, 0.25f), Interpolation.Slerp(from, to, 0.25f));

    [Fact]
    public void Weighted_terms_add_up() =>
        Assert.Equal([1f - 2f + 0.5f * 4, 0 - 4 + 0.5f * 2], Arithmetic.Sum([(1, [1, 0]), (-2, [1, 2]), (0.5f, [4, 2])]));

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.975, 1.959963984540054)]
    [InlineData(0.841344746068543, 1)]
    [InlineData(1e-10, -6.361340902404056)]
    [InlineData(0.001, -3.090232306167813)]
    public void The_normal_quantile_is_the_tables(double p, double x)
    {
        Assert.Equal(x, Manifold.InverseNormal(p), 1e-9);
        Assert.Equal(p, Manifold.Normal(x), 1e-12);
    }

    [Fact]
    public void A_manifold_steps_equally_in_probability_and_leaves_other_latents_alone()
    {
        var grid = Manifold.Grid(3, [7, 8, 9], horizontal: 0, vertical: 2);
        var edge = (float)Manifold.InverseNormal(1 / 6.0);
        Assert.Equal([edge, 8, -edge], grid[0]); // left and top
        Assert.Equal([0, 8, 0], grid[4]);
        Assert.Equal([-edge, 8, edge], grid[8]);
        Assert.Throws<ArgumentException>(() => Manifold.Grid(3, [7, 8, 9], 1, 1));
    }

    [Fact]
    public void A_concept_points_from_without_to_with_and_says_how_well_it_parts_them()
    {
        // With it, the first latent is 2 higher; a second, wider one only goes along.
        var random = new RandomStream(1, "concept");
        float[][] Draw(float first) =>
            [.. Enumerable.Range(0, 400).Select(_ => new[] { first + 0.3f * random.NextGaussian(), 2 * random.NextGaussian() })];
        var concept = Concept.Find("smile", Draw(1), Draw(-1));
        Assert.Equal(2, concept.Mean[0], 0.1);
        Assert.True(concept.Separability > 0.99, $"{concept.Separability}");
        Assert.Equal(2, concept.Logistic[0], 0.1);
        Assert.True(Math.Abs(concept.Logistic[1]) < 0.2, $"{concept.Logistic[1]}");

        var nothing = Concept.Find("nothing", Draw(0), Draw(0));
        Assert.InRange(nothing.Separability!.Value, 0.35, 0.65);

        // Nineteen on one side are parted without error by the plane that they chose, which says nothing.
        Assert.Null(Concept.Find("few", Draw(0)[..19], Draw(0)).Separability);
        Assert.NotNull(Concept.Find("enough", Draw(0)[..20], Draw(0)).Separability);
    }

    [Fact]
    public void The_plane_takes_away_what_both_sides_have_in_common()
    {
        // x − y / 2 alone tells the sides apart, without error; the means differ along x only.
        var random = new RandomStream(2, "confounded");
        float[][] Draw(float side) => [.. Enumerable.Range(0, 2000).Select(_ =>
        {
            var common = random.NextGaussian();
            return new[] { side + 0.5f * common, common };
        })];
        var concept = Concept.Find("x", Draw(0.5f), Draw(-0.5f));
        Assert.InRange(concept.Logistic[1] / concept.Logistic[0], -0.6, -0.4);
        Assert.Equal(1, concept.Separability!.Value, 0.02);
    }

    [Fact]
    public void Strength_one_crosses_the_plane_also_where_the_mean_difference_falls_short()
    {
        float[][] with = [.. Enumerable.Repeat(new float[] { 1, 0 }, 100)], without = [.. Enumerable.Range(0, 100).Select(
            i => new float[] { i % 10 == 0 ? -2.5f : -1, 0 })];
        // The means are 1 and −1.15, so that the difference, 2.15, takes −2.5 to −0.35, and 1.2 times to 0.08, if decoding and
        // encoding change nothing.
        Assert.Equal(2.15f, Concept.Find("x", with, without).Mean[0], 1e-4f);
        Assert.Equal(1, Concept.Find("x", with, without).Unit);
        var plane = LogisticPlane.Fit(with, without);
        Assert.True(plane.Side([-0.35f, 0]) < 0 && plane.Side([0.08f, 0]) > 0);
        Assert.Equal(1.2f, Concept.Find("x", with, without, latents => latents).Unit);
        // Where nothing arrives, nothing is known.
        Assert.Equal(1, Concept.Find("x", with, without, latents => [.. latents.Select(_ => new float[] { -1, 0 })]).Unit);
    }

    [Fact]
    public void Concepts_survive_their_file()
    {
        Concept[] concepts = [new("a", [1, 2], [3, 4], 0.875, 10), new("b_2", [0, -1], [5, 6], 1, 7) { Unit = 1.3f }];
        var read = ConceptFile.Read(ConceptFile.Write(concepts), 2);
        Assert.Equal(concepts.Select(concept => (concept.Name, concept.Unit, concept.Separability, concept.Examples)),
            read.Select(concept => (concept.Name, concept.Unit, concept.Separability, concept.Examples)));
        Assert.Equal(concepts[1].Logistic, read[1].Logistic);
        Assert.Contains("expected", Assert.Throws<ModelFormatException>(
            () => ConceptFile.Read(ConceptFile.Write(concepts), 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => ConceptFile.Read(new BinaryData("nonsense"), 2));
        Assert.Contains("holds no concept", Assert.Throws<ModelFormatException>(
            () => ConceptFile.Read(ConceptFile.Write([]), 2)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Long Hair", "long_hair")]
    [InlineData("3", "3")]
    [InlineData("../etc", "etc")]
    [InlineData("Ü", "u")]
    [InlineData("cafe\u0301", "cafe")]
    [InlineData("猫", "猫")]
    [InlineData("!?", "unnamed")]
    public void Any_label_gives_a_concept_name(string label, string name)
    {
        Assert.Equal(name, ConceptFile.ToConceptName(label));
        Assert.True(ConceptFile.IsConceptName(name));
    }

    [Fact]
    public void A_score_is_calibrated_against_ordinary_ones()
    {
        var calibration = new AnomalyCalibration(new Dictionary<string, double> { ["0.5"] = 0.5, ["0.9"] = 0.7, ["0.99"] = 1 });
        Assert.Equal(0.3, Anomaly.Percentile(calibration, 0.3), 1e-9);
        Assert.Equal(0.7, Anomaly.Percentile(calibration, 0.6), 1e-9);
        Assert.Equal(0, Anomaly.Percentile(calibration, -1));
        Assert.Equal(1, Anomaly.Percentile(calibration, 2));
        Assert.Equal(["ordinary", "unusual", "anomalous"], new[] { 0.9499, 0.95, 0.99 }.Select(Anomaly.Verdict));
        Assert.Equal(0.5, Anomaly.Score([255, 0], [0, 0]));
    }

    [Fact]
    public void Any_score_suffices_to_be_strange_on_either_side()
    {
        Dictionary<string, double> errors = new() { ["0.05"] = 0.08, ["0.5"] = 0.1, ["0.95"] = 0.2 };
        var calibration = new AnomalyCalibration(errors)
        {
            Codes = new Dictionary<string, double> { ["0"] = -12, ["0.05"] = -11, ["0.5"] = -10, ["0.95"] = 30 },
            Traits = new Dictionary<string, IReadOnlyDictionary<string, double>>
            {
                ["colour"] = new Dictionary<string, double> { ["0.05"] = 2, ["0.5"] = 3, ["0.95"] = 4 },
            },
        };
        Assert.Equal(0, Joint(0.1, -10, 3).Steps, 1e-9);
        Assert.Equal((1, "error"), Rounded(Joint(0.2, -10, 3))); // at its 95th percentile
        Assert.Equal((2, "error"), Rounded(Joint(0.06, -10, 3))); // comes back far too well
        Assert.Equal((2, "code"), Rounded(Joint(0.1, 70, 3)));
        Assert.Equal((3, "code"), Rounded(Joint(0.1, -13, 3)));
        Assert.Equal((3, "colour"), Rounded(Joint(0.1, -10, 0))); // grey among coloured ones
        Assert.Equal("error", Anomaly.Joint(calibration, 0.1, null, Colour(3)).By); // where nothing says which codes are likely
        Assert.Equal(0.5, Anomaly.Percentile(calibration.Codes, -10), 1e-9);
        Assert.Equal(0, Anomaly.Percentile(calibration.Codes, -13)); // below all that was seen

        Strangeness Joint(double error, double code, double colour) => Anomaly.Joint(calibration, error, code, Colour(colour));

        static Dictionary<string, double> Colour(double value) => new() { ["colour"] = value, ["unheard of"] = 1e9 };

        static (double, string) Rounded(Strangeness strangeness) => (Math.Round(strangeness.Steps, 9), strangeness.By);
    }

    [Fact]
    public void Where_all_ordinary_images_are_grey_a_trace_of_colour_is_not_strange_and_much_of_it_is()
    {
        var calibration = new AnomalyCalibration(new Dictionary<string, double> { ["0.5"] = 0.1, ["0.95"] = 0.2 })
        {
            Traits = new Dictionary<string, IReadOnlyDictionary<string, double>>
            {
                ["colour"] = new Dictionary<string, double> { ["0.05"] = 0, ["0.5"] = 0, ["0.95"] = 0 },
            },
        };
        Assert.InRange(Of(0.001), 0, 0.1);
        Assert.InRange(Of(Math.Log(1 + 40)), 10, 100);

        double Of(double colour) =>
            Anomaly.Joint(calibration, 0.1, null, new Dictionary<string, double> { ["colour"] = colour }).Steps;
    }

    [Fact]
    public void A_score_that_is_no_number_is_as_strange_as_can_be_and_a_table_without_its_quantiles_says_nothing()
    {
        var calibration = new AnomalyCalibration(new Dictionary<string, double> { ["0.5"] = 0.1, ["0.95"] = 0.2 })
        {
            Codes = new Dictionary<string, double> { ["0"] = -12, ["0.5"] = -10, ["0.95"] = 30 },
        };
        Dictionary<string, double> none = [];
        Assert.Equal(new(double.PositiveInfinity, "code"), Anomaly.Joint(calibration, 0.1, double.NaN, none));
        Assert.Equal("error", Anomaly.Joint(calibration with { Codes = none }, 0.15, 1e9, none).By);
    }

    [Fact]
    public void A_version_from_before_both_sides_counted_is_judged_as_it_was()
    {
        var calibration = new AnomalyCalibration(new Dictionary<string, double> { ["0.5"] = 0.1, ["0.95"] = 0.2 })
        {
            Codes = new Dictionary<string, double> { ["0"] = -12, ["0.5"] = -10, ["0.95"] = 30 },
        };
        var strangeness = Anomaly.Joint(calibration, 0.2, -50, ImageTraits.Of(new(1, 1, 1, [7])));
        Assert.Equal((1, "error"), (strangeness.Steps, strangeness.By));
    }

    static PrincipalAxes Axes { get; } = new([1, 2, 3], [[0.6f, 0.8f, 0], [-0.8f, 0.6f, 0]], [2, 0.5f]);

    [Fact]
    public void A_manifold_goes_along_the_axes_of_codes_around_their_mean_or_a_code()
    {
        var edge = (float)Manifold.InverseNormal(5 / 6.0);
        var grid = Manifold.Grid(3, Axes, horizontal: 0, vertical: 1);
        Assert.Equal([1, 2, 3], grid[4]);
        // right and up: two deviations of 2 · edge and 0.5 · edge
        Assert.All(grid[2].Zip([1 + edge * (2 * 0.6f - 0.5f * 0.8f), 2 + edge * (2 * 0.8f + 0.5f * 0.6f), 3]),
            pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        Assert.Equal([7, 8, 9], Manifold.Grid(3, Axes, 0, 1, origin: [7, 8, 9])[4]);
        Assert.Throws<ArgumentException>(() => Manifold.Grid(3, Axes, 0, 2));
    }

    [Fact]
    public void A_varied_code_strays_along_the_axes_and_keeps_the_spread_of_all()
    {
        float[] code = [4, 5, 3];
        Assert.Equal(code, Axes.Vary(code, 0, new(1, "none")));
        float[][] varied = [.. Enumerable.Range(0, 4000).Select(i => Axes.Vary(code, 1, new(1, "varied", (ulong)i)))];
        Assert.All(varied, z => Assert.Equal(3, z[2], 1e-5)); // codes do not vary there
        // m + (z − m) / √2 in the mean, a variance of 2² / 2 along the first axis
        Assert.Equal(1 + 3 / Math.Sqrt(2), varied.Average(z => z[0]), 0.1);
        var along = varied.Select(z => 0.6 * z[0] + 0.8 * z[1]).ToArray();
        Assert.Equal(2, along.Average(value => Math.Pow(value - along.Average(), 2)), 0.15);
    }

    [Fact]
    public void Axes_survive_being_written_and_what_is_none_is_refused()
    {
        var read = PrincipalAxes.Read(Axes.Write(), 3);
        Assert.Equal(Axes.Mean, read.Mean);
        Assert.Equal(Axes.Deviations, read.Deviations);
        Assert.Equal(Axes.Axes, read.Axes);
        Assert.Contains("4 latents were expected",
            Assert.Throws<ModelFormatException>(() => PrincipalAxes.Read(Axes.Write(), 4)).Message);
        Assert.Throws<ModelFormatException>(() => PrincipalAxes.Read(BinaryData.FromString("no"), 3));
    }

    [Fact]
    public void A_heat_map_is_black_where_an_image_comes_back()
    {
        var map = Anomaly.HeatMap(new Image(2, 1, 1, [10, 255]), new Image(2, 1, 1, [10, 0]));
        Assert.Equal([0, 0, 0, 255, 255, 255], map.Pixels);
    }

    [Fact]
    public async Task Inpainting_leaves_known_pixels_and_ignores_what_the_hole_held()
    {
        // The "model" makes every pixel the mean of all: the hole goes to the mean of what is known.
        static Task<byte[]> Flatten(byte[] image) =>
            Task.FromResult(Array.ConvertAll(image, _ => (byte)Math.Round(image.Average(pixel => (double)pixel))));
        bool[] hole = [false, true, true, false];
        var filled = await Inpainting.FillAsync([10, 0, 255, 30], hole, 20, Flatten);
        Assert.Equal([10, 20, 20, 30], filled);
        Assert.Equal(filled, await Inpainting.FillAsync([10, 99, 3, 30], hole, 20, Flatten));
        await Assert.ThrowsAsync<ArgumentException>(() => Inpainting.FillAsync([1, 2], [true, true], 3, Flatten));
    }

    [Fact]
    public void An_animated_png_shows_its_first_frame_to_those_who_know_no_animation()
    {
        var first = new Image(2, 2, 1, [1, 2, 3, 4]);
        var bytes = AnimatedPng.Encode([first, new(2, 2, 3, new byte[12]), first], 100);
        Assert.Equal(first.ToChannels(3).Pixels, ImageCodec.Decode(bytes).Pixels);
        var text = System.Text.Encoding.Latin1.GetString(bytes);
        Assert.Equal((1, 3, 2), (text.Split("acTL").Length - 1, text.Split("fcTL").Length - 1, text.Split("fdAT").Length - 1));
    }
}
