using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

public sealed class DropListTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_keeps_its_name_and_an_image_in_a_folder_its_path_below_that_folder()
    {
        var single = folder.File("elsewhere/cat.png", [1]);
        folder.File("zoo/lion.JPG", [1]);
        folder.File("zoo/birds/owl.webp", [1]);
        folder.File("zoo/readme.txt", [1]);

        var list = DropList.From([single, folder.File("zoo")]);

        Assert.Equal(
            ["birds/owl.webp", "cat.png", "lion.JPG"], list.Items.Select(item => item.Name).Order(StringComparer.Ordinal));
        Assert.Equal(1, list.Ignored);
    }

    [Fact]
    public void Files_of_the_same_name_are_told_apart_by_their_folders()
    {
        var paths = new[] { folder.File("a/x/1.png", [1]), folder.File("a/y/1.png", [1]), folder.File("a/z/2.png", [1]) };

        Assert.Equal(["x/1.png", "y/1.png", "z/2.png"], DropList.From(paths).Items.Select(item => item.Name));
    }

    [Fact]
    public void A_file_that_is_named_twice_is_dropped_once()
    {
        var file = folder.File("a/1.png", [1]);

        Assert.Single(DropList.From([file, file, folder.File("a")]).Items);
    }

    [Fact]
    public void A_path_that_leads_nowhere_and_a_folder_without_images_are_wrong_input()
    {
        Assert.Equal(2, Assert.Throws<LocalCloudException>(() => DropList.From([folder.File("nothing.png")])).ExitCode);
        Assert.Equal(2, Assert.Throws<LocalCloudException>(() => DropList.From([folder.Path])).ExitCode);
    }

    [Fact]
    public void What_cannot_be_dropped_is_named_and_the_rest_is_dropped()
    {
        folder.File("good/1.png", [1]);
        var odd = folder.File(@"good/back\slash.png", [1]);
        var large = folder.File("good/huge.png", []);
        using (var stream = File.OpenWrite(large))
            stream.SetLength(DropList.MaxFileBytes + 1);

        var list = DropList.From([folder.File("good"), folder.File("nowhere")]);

        Assert.Equal(["1.png"], list.Items.Select(item => item.Name));
        Assert.Equal([folder.File("nowhere"), odd, large], list.LeftOut.Select(line => line.Split(": ")[0]));
        Assert.Contains("Rename it", list.LeftOut[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Archives_are_dropped_beside_images_and_may_be_larger()
    {
        folder.File("shots/1.png", [1]);
        folder.File("shots/notes.txt", [1]);
        using (var stream = File.OpenWrite(folder.File("shots/2.tar", [])))
            stream.SetLength(DropList.MaxFileBytes + 1);
        using (var stream = File.OpenWrite(folder.File("shots/3.zip", [])))
            stream.SetLength(DropList.MaxArchiveBytes + 1);

        var list = DropList.From([folder.File("shots")]);

        Assert.Equal(["1.png", "2.tar"], list.Items.Select(item => item.Name));
        Assert.Equal(1, list.Ignored);
        Assert.Contains("more than 1 GiB", Assert.Single(list.LeftOut), StringComparison.Ordinal);
    }

    [Fact]
    public void What_systems_leave_in_a_folder_is_not_dropped()
    {
        string[] names = ["a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/b.png", "__MACOSX/._a.png", ".c.png"];
        foreach (var name in names)
            folder.File($"nas/{name}", [1]);

        var list = DropList.From([folder.File("nas")]);

        Assert.Equal(["a.png"], list.Items.Select(item => item.Name));
        Assert.Equal(0, list.Ignored);
    }

    [Fact]
    public void A_file_too_large_for_an_inbox_is_refused_before_it_is_read()
    {
        var file = folder.File("huge.png", []);
        using (var stream = File.OpenWrite(file))
            stream.SetLength(DropList.MaxFileBytes + 1);

        Assert.Contains(
            "huge.png", Assert.Throws<LocalCloudException>(() => DropList.From([file])).Message, StringComparison.Ordinal);
    }
}
