using System.Runtime.InteropServices;
using System.Text.Json;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests;

/// <summary>The map of training images that is published with a version.</summary>
public sealed class LatentMapTests
{
    static readonly DataSplit Faces = DataSources.LoadAsync("faces:60", new() { Seed = 3 }, CancellationToken.None).Result;

    static readonly ModelOptions Plain = RecipeBook.Load("faces-vae").Recipe.Model;

    static LatentMap MapOf(ModelOptions options, ImageDataset? images = null)
    {
        var model = options.Build(seed: 1);
        return LatentMap.Of(model, images ?? Faces.Train, [.. Enumerable.Repeat(0.5, model.LatentSize)]);
    }

    static SafetensorsFile Numbers(LatentMap map) => Safetensors.Read(LatentMapFile.WriteNumbers(map));

    static NamedTensor Tensor(SafetensorsFile file, string name) => file.Tensors.Single(tensor => tensor.Name == name);

    [Fact]
    public void Every_image_has_a_place_in_the_disc_and_no_two_have_the_same()
    {
        var map = MapOf(Plain);
        var places = map.Positions.Chunk(2).Select(place => (X: place[0], Y: place[1])).ToArray();
        Assert.Equal(Faces.Train.Count, places.Length);
        Assert.All(places, place => Assert.InRange(Math.Sqrt(place.X * place.X + place.Y * place.Y), 0, 1));
        Assert.Equal(places.Length, places.Distinct().Count());
        Assert.All(map.Explained, share => Assert.InRange(share, 0, 1));
        Assert.True(map.Explained[0] >= map.Explained[1]);
    }

    [Fact]
    public void Latents_come_back_within_half_a_step()
    {
        var map = MapOf(Plain);
        var file = Numbers(map);
        var steps = file.GetFloats("steps");
        var whole = MemoryMarshal.Cast<byte, sbyte>(Tensor(file, "latents").Data.Span);
        for (var i = 0; i < map.Latents.Length; i++)
            Assert.InRange(whole[i] * steps[i % steps.Length], map.Latents[i] - 0.51f * steps[i % steps.Length] - 1e-6f,
                map.Latents[i] + 0.51f * steps[i % steps.Length] + 1e-6f);
    }

    [Fact]
    public void Attributes_lie_between_the_ends_that_the_description_gives()
    {
        var map = MapOf(Plain);
        var description = JsonDocument.Parse(LatentMapFile.WriteDescription(map)).RootElement;
        var hat = description.GetProperty("attributes").EnumerateArray().Index()
            .Single(entry => entry.Item.GetProperty("name").GetString() == "hat");
        Assert.Equal((0, 1), (hat.Item.GetProperty("low").GetInt32(), hat.Item.GetProperty("high").GetInt32()));
        var values = Tensor(Numbers(map), "attributes");
        for (var i = 0; i < map.Count; i++)
            Assert.Equal(map.Images.Attributes![i, hat.Index] * 255, values.Data.Span[i * values.Shape[1] + hat.Index]);
        Assert.Equal(map.LatentSize, description.GetProperty("klPerLatent").GetArrayLength());
    }

    [Fact]
    public async Task An_attribute_that_some_images_lack_keeps_its_range_and_one_that_all_lack_has_none()
    {
        var images = (await DataSources.LoadAsync("faces:60", new() { Seed = 4 }, CancellationToken.None)).Train;
        var values = images.Attributes!;
        values[0, 0] = float.NaN;
        for (var row = 0; row < images.Count; row++)
            values[row, 1] = float.NaN;
        var map = MapOf(Plain, images);

        var ranges = JsonDocument.Parse(LatentMapFile.WriteDescription(map)).RootElement.GetProperty("attributes");
        Assert.True(ranges[0].GetProperty("high").GetSingle() > ranges[0].GetProperty("low").GetSingle());
        Assert.Equal(0, ranges[1].GetProperty("high").GetSingle());
        Assert.True(Tensor(Numbers(map), "attributes").Data.Span.ToArray().Distinct().Count() > 1);
    }

    [Fact]
    public void A_codebook_publishes_codes_and_their_vectors_which_give_the_latents_again()
    {
        var options = RecipeBook.Load("cifar10-vq-vae").Recipe.Model;
        var model = (VqVae)options.Build(seed: 1);
        var map = LatentMap.Of(model, Faces.Train, []);
        var file = Numbers(map);
        Assert.DoesNotContain(file.Tensors, tensor => tensor.Name == "latents");
        var codes = MemoryMarshal.Cast<byte, ushort>(Tensor(file, "codes").Data.Span).ToArray();
        var depth = model.LatentSize / model.Places;
        var book = file.GetFloats("codebook");
        var backend = model.Parameters.Backend;
        var expected = model.Latent(backend.FromValues([.. codes.Select(code => (float)code)], new(map.Count, model.Places)));
        Assert.Equal(expected.ToArray(), codes.SelectMany(code => book.AsSpan(code * depth, depth).ToArray()));
    }

    [Fact]
    public void Images_that_are_all_the_same_have_a_map_too()
    {
        var same = Faces.Train.Map((_, _) => new byte[Faces.Train.Shape.Size]);
        Assert.All(MapOf(Plain, same).Positions, coordinate => Assert.True(float.IsFinite(coordinate)));
    }

    [Fact]
    public void Neither_labels_nor_attributes_are_needed()
    {
        var bare = new ImageDataset(Faces.Train.Shape, [.. Enumerable.Range(0, 20).Select(i => Faces.Train.Image(i).Pixels)]);
        var file = Numbers(MapOf(Plain, bare));
        Assert.DoesNotContain(file.Tensors, tensor => tensor.Name is "labels" or "attributes");
    }
}
