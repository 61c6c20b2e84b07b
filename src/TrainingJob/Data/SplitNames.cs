using System.Text.RegularExpressions;

namespace VaeFunctions.Data;

/// <summary>What the images of a folder are for.</summary>
enum SplitPart
{
    Train,
    Test,
    Validation,
}

/// <summary>Which part of a split a folder's name means, in the spellings that data sets have.</summary>
static partial class SplitNames
{
    public static SplitPart? PartOf(string folder) =>
        Training().IsMatch(folder) ? SplitPart.Train
        : Testing().IsMatch(folder) ? SplitPart.Test
        : Validation().IsMatch(folder) ? SplitPart.Validation
        : null;

    const string Ending = "([ _-]?(set|split|data|images|imgs))?$";

    [GeneratedRegex("^(train|training|trn)" + Ending, RegexOptions.IgnoreCase)]
    private static partial Regex Training();

    [GeneratedRegex("^(test|testing|tst|eval|evaluation)" + Ending, RegexOptions.IgnoreCase)]
    private static partial Regex Testing();

    [GeneratedRegex("^(val|valid|validation|validate|dev)" + Ending, RegexOptions.IgnoreCase)]
    private static partial Regex Validation();
}
