using System.Text.Json;
using System.Text.Json.Nodes;

namespace VaeFunctions.Serving;

static class JsonNumbers
{
    /// <summary>A finite number that a float holds.</summary>
    public static bool TryFloat(JsonNode? node, out float number)
    {
        number = 0;
        if (node is not JsonValue value || value.GetValueKind() is not JsonValueKind.Number
            || !value.TryGetValue<double>(out var wide))
            return false;
        number = (float)wide;
        return float.IsFinite(number);
    }
}
