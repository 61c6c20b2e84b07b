using System.Globalization;
using System.Text;

namespace VaeFunctions;

/// <summary>Names as people see them: an é is the same whether it is written as one character or as an e with an accent behind
/// it, as macOS writes file names, and spaces around a name do not show.</summary>
public static class Names
{
    /// <summary>The same text for names that look the same; the case of letters still counts.</summary>
    public static string Key(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Ascii.IsValid(name)) return name.Trim();
        var key = new StringBuilder();
        foreach (var letter in name.Trim())
            if (!IsInvisible(letter)) Decompose(letter, key);
        SortMarks(key);
        return key.ToString().Trim();
    }

    /// <summary>The place of the name that is meant: the very one, else the one that looks the same, else the only one that
    /// differs in nothing but the case of letters; −1 where there is none, or several to choose from.</summary>
    public static int Find(IReadOnlyList<string> names, string wanted)
    {
        ArgumentNullException.ThrowIfNull(names);
        var (exact, key) = (Places(names, name => name == wanted), Key(wanted));
        if (exact.Length > 0) return exact[0];
        var same = Places(names, name => Key(name) == key);
        if (same.Length == 0) same = Places(names, name => Key(name).Equals(key, StringComparison.OrdinalIgnoreCase));
        return same.Length == 1 ? same[0] : -1;
    }

    /// <summary>The names that could be meant, where case and form do not count.</summary>
    public static IEnumerable<string> Alike(IEnumerable<string> names, string wanted)
    {
        var key = Key(wanted);
        return names.Where(name => Key(name).Equals(key, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>How two names differ that look alike, as the end of a sentence: <c>in the case of letters</c>.</summary>
    public static string Difference(string one, string other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        if (one.Trim() == other.Trim()) return "in the spaces around them";
        if (one.Equals(other, StringComparison.OrdinalIgnoreCase)) return "in the case of letters";
        var start = one.AsSpan().CommonPrefixLength(other);
        var (left, right) = (one[start..], other[start..]);
        while (left.Length > 0 && right.Length > 0 && left[^1] == right[^1]) (left, right) = (left[..^1], right[..^1]);
        return $"in their characters: {Points(left)} in the one, {Points(right)} in the other";
    }

    static string Points(string text) =>
        text.Length == 0 ? "nothing" : string.Join(' ', text.EnumerateRunes().Take(6).Select(rune => $"U+{rune.Value:X4}"));

    static int[] Places(IReadOnlyList<string> names, Func<string, bool> holds) =>
        [.. Enumerable.Range(0, names.Count).Where(i => holds(names[i]))];

    /// <summary>Zero-width spaces and soft hyphens, which come along when names are copied from pages.</summary>
    static bool IsInvisible(char letter) => letter is '\u200B' or '\uFEFF' or '\u00AD' or '\u2060';

    /// <summary>A character's canonical decomposition. (Unicode Standard, §3.7)</summary>
    static void Decompose(char letter, StringBuilder key)
    {
        if (Composed.TryGetValue(letter, out var parts))
        {
            Decompose(parts.Base, key);
            key.Append(parts.Mark);
        }
        else if (letter is >= '\uAC00' and <= '\uD7A3') // a Korean syllable: its jamos follow from its number (§3.12)
        {
            var number = letter - 0xAC00;
            key.Append((char)(0x1100 + number / 588)).Append((char)(0x1161 + number % 588 / 28));
            if (number % 28 > 0) key.Append((char)(0x11A7 + number % 28));
        }
        else
        {
            key.Append(letter);
        }
    }

    /// <summary>Marks on one letter in one order, whichever they were typed in.</summary>
    static void SortMarks(StringBuilder key)
    {
        for (var i = 1; i < key.Length; i++)
            for (var j = i; j > 0 && IsMark(key[j]) && IsMark(key[j - 1]) && key[j] < key[j - 1]; j--)
                (key[j], key[j - 1]) = (key[j - 1], key[j]);
    }

    static bool IsMark(char letter) => CharUnicodeInfo.GetUnicodeCategory(letter) == UnicodeCategory.NonSpacingMark;

    /// <summary>A mark, then pairs of what it stands behind and what both make together: every pair that Unicode's canonical
    /// composition knows on its first plane. .NET has them only where ICU is installed, which is not asked for here.</summary>
    const string Compositions = """
        0300 AÀEÈIÌOÒUÙaàeèiìoòuùÜǛüǜNǸnǹЕЀИЍеѐиѝĒḔēḕŌṐōṑWẀwẁÂẦâầĂẰăằÊỀêềÔỒôồƠỜơờƯỪưừYỲyỳἀἂἁἃἈἊἉἋἐἒἑἓἘἚἙἛἠἢἡἣἨἪἩἫ
        0300 ἰἲἱἳἸἺἹἻὀὂὁὃὈὊὉὋὐὒὑὓὙὛὠὢὡὣὨὪὩὫαὰεὲηὴιὶοὸυὺωὼΑᾺΕῈΗῊ᾿῍ϊῒΙῚ῾῝ϋῢΥῪ¨῭ΟῸΩῺ
        0301 AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźÜǗüǘGǴgǵÅǺåǻÆǼæǽØǾøǿ¨΅ΑΆΕΈΗΉΙΊΟΌΥΎΩΏϊΐαάεέηήιίϋΰοόυύ
        0301 ωώϒϓГЃКЌгѓкќÇḈçḉĒḖēḗÏḮïḯKḰkḱMḾmḿÕṌõṍŌṒōṓPṔpṕŨṸũṹWẂwẃÂẤâấĂẮăắÊẾêếÔỐôốƠỚơớƯỨưứἀἄἁἅἈἌἉἍἐἔἑἕἘἜἙἝἠἤἡἥἨἬἩἭ
        0301 ἰἴἱἵἸἼἹἽὀὄὁὅὈὌὉὍὐὔὑὕὙὝὠὤὡὥὨὬὩὭ᾿῎῾῞
        0302 AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑẠẬạậẸỆẹệỌỘọộ
        0303 AÃNÑOÕaãnñoõIĨiĩUŨuũVṼvṽÂẪâẫĂẴăẵEẼeẽÊỄêễÔỖôỗƠỠơỡƯỮưữYỸyỹ
        0304 AĀaāEĒeēIĪiīOŌoōUŪuūÜǕüǖÄǞäǟȦǠȧǡÆǢæǣǪǬǫǭÖȪöȫÕȬõȭȮȰȯȱYȲyȳИӢиӣУӮуӯGḠgḡḶḸḷḹṚṜṛṝαᾱΑᾹιῑΙῙυῡΥῩ
        0306 AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭУЎИЙийуўЖӁжӂАӐаӑЕӖеӗȨḜȩḝẠẶạặαᾰΑᾸιῐΙῘυῠΥῨ
        0307 CĊcċEĖeėGĠgġIİZŻzżAȦaȧOȮoȯBḂbḃDḊdḋFḞfḟHḢhḣMṀmṁNṄnṅPṖpṗRṘrṙSṠsṡŚṤśṥŠṦšṧṢṨṣṩTṪtṫWẆwẇXẊxẋYẎyẏſẛ
        0308 AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋϒϔЕЁІЇеёіїАӒаӓӘӚәӛЖӜжӝЗӞзӟИӤиӥОӦоӧӨӪөӫЭӬэӭУӰуӱЧӴчӵЫӸыӹHḦhḧÕṎõṏŪṺūṻWẄ
        0308 wẅXẌxẍtẗ
        0309 AẢaảÂẨâẩĂẲăẳEẺeẻÊỂêểIỈiỉOỎoỏÔỔôổƠỞơởUỦuủƯỬưửYỶyỷ
        030A AÅaåUŮuůwẘyẙ
        030B OŐoőUŰuűУӲуӳ
        030C CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔÜǙüǚGǦgǧKǨkǩƷǮʒǯjǰHȞhȟ
        030F AȀaȁEȄeȅIȈiȉOȌoȍRȐrȑUȔuȕѴѶѵѷ
        0311 AȂaȃEȆeȇIȊiȋOȎoȏRȒrȓUȖuȗ
        0313 αἀΑἈεἐΕἘηἠΗἨιἰΙἸοὀΟὈυὐωὠΩὨρῤ
        0314 αἁΑἉεἑΕἙηἡΗἩιἱΙἹοὁΟὉυὑΥὙωὡΩὩρῥΡῬ
        031B OƠoơUƯuư
        0323 BḄbḅDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓAẠaạEẸeẹIỊiịOỌoọƠỢơợUỤuụƯỰưựYỴyỵ
        0324 UṲuṳ
        0325 AḀaḁ
        0326 SȘsșTȚtț
        0327 CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ
        0328 AĄaąEĘeęIĮiįUŲuųOǪoǫ
        032D DḒdḓEḘeḙLḼlḽNṊnṋTṰtṱUṶuṷ
        032E HḪhḫ
        0330 EḚeḛIḬiḭUṴuṵ
        0331 BḆbḇDḎdḏKḴkḵLḺlḻNṈnṉRṞrṟTṮtṯZẔzẕhẖ
        0338 ←↚→↛↔↮⇐⇍⇔⇎⇒⇏∃∄∈∉∋∌∣∤∥∦∼≁≃≄≅≇≈≉=≠≡≢≍≭<≮>≯≤≰≥≱≲≴≳≵≶≸≷≹≺⊀≻⊁⊂⊄⊃⊅⊆⊈⊇⊉⊢⊬⊨⊭⊩⊮⊫⊯≼⋠≽⋡⊑⋢⊒⋣⊲⋪⊳⋫⊴⋬⊵⋭
        0342 ἀἆἁἇἈἎἉἏἠἦἡἧἨἮἩἯἰἶἱἷἸἾἹἿὐὖὑὗὙὟὠὦὡὧὨὮὩὯαᾶ¨῁ηῆ᾿῏ιῖϊῗ῾῟υῦϋῧωῶ
        0345 ἀᾀἁᾁἂᾂἃᾃἄᾄἅᾅἆᾆἇᾇἈᾈἉᾉἊᾊἋᾋἌᾌἍᾍἎᾎἏᾏἠᾐἡᾑἢᾒἣᾓἤᾔἥᾕἦᾖἧᾗἨᾘἩᾙἪᾚἫᾛἬᾜἭᾝἮᾞἯᾟὠᾠὡᾡὢᾢὣᾣὤᾤὥᾥὦᾦὧᾧὨᾨὩᾩὪᾪὫᾫὬᾬὭᾭὮᾮὯᾯὰᾲαᾳ
        0345 άᾴᾶᾷΑᾼὴῂηῃήῄῆῇΗῌὼῲωῳώῴῶῷΩῼ
        0653 اآ
        0654 اأوؤيئەۀہۂےۓ
        0655 اإ
        093C नऩरऱळऴ
        09BE েো
        09D7 েৌ
        0B3E େୋ
        0B56 େୈ
        0B57 େୌ
        0BBE ெொேோ
        0BD7 ஒஔெௌ
        0C56 ెై
        0CC2 ೆೊ
        0CD5 ಿೀೆೇೊೋ
        0CD6 ೆೈ
        0D3E െൊേോ
        0D57 െൌ
        0DCA ෙේොෝ
        0DCF ෙො
        0DDF ෙෞ
        102E ဥဦ
        1B35 ᬅᬆᬇᬈᬉᬊᬋᬌᬍᬎᬑᬒᬺᬻᬼᬽᬾᭀᬿᭁᭂᭃ
        3099 かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ
        309A はぱひぴふぷへぺほぽハパヒピフプヘペホポ
        """;

    static readonly Dictionary<char, (char Base, char Mark)> Composed = Compositions
        .Split('\n', StringSplitOptions.TrimEntries)
        .SelectMany(line => line[5..].Chunk(2).Select(pair =>
            (Mark: Convert.ToUInt16(line[..4], 16), Base: pair[0], Whole: pair[1])))
        .ToDictionary(entry => entry.Whole, entry => (entry.Base, (char)entry.Mark));
}
