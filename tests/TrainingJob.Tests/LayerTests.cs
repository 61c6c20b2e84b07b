using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

public class LayerTests
{
    /// <summary>The folders of the training job; each may name those before it.</summary>
    static readonly string[] Layers = ["Data", "Features", "Training", "Priors", "Evaluation", "Sessions", "Sweeps", "Commands"];

    [Fact]
    public void A_folder_names_only_folders_below_it()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../src/TrainingJob"));
        Assert.Equal(Layers.Order(), Directory.EnumerateDirectories(root).Select(Path.GetFileName).Except(["bin", "obj"])
            .Order());
        foreach (var (number, layer) in Layers.Index())
        {
            var above = string.Join('|', Layers[(number + 1)..].Append("no more"));
            foreach (var file in Directory.EnumerateFiles(Path.Combine(root, layer), "*.cs", SearchOption.AllDirectories))
            {
                var text = File.ReadAllText(file);
                Assert.Contains($"namespace VaeFunctions.{layer}", text);
                // By its full name, or from here on as another part of the same namespace.
                var named = Regex.Match(text, $@"(\bVaeFunctions\.|(?<![\w.""]))({above})(;|\.[A-Z])");
                Assert.False(named.Success, $"{file} names {named.Value}, which is above {layer}.");
            }
        }
    }

    static string ThisFile([CallerFilePath] string path = "") => path;
}
