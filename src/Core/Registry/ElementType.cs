namespace VaeFunctions.Registry;

/// <summary>How a stored tensor's numbers are coded, little-endian, under safetensors' own names.</summary>
public enum ElementType
{
    Bool,
    U8,
    I8,
    U16,
    I16,
    F16,
    BF16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

public static class ElementTypeExtensions
{
    extension(ElementType type)
    {
        /// <summary>Bytes per element.</summary>
        public int Size => type switch
        {
            ElementType.Bool or ElementType.U8 or ElementType.I8 => 1,
            ElementType.U16 or ElementType.I16 or ElementType.F16 or ElementType.BF16 => 2,
            ElementType.U32 or ElementType.I32 or ElementType.F32 => 4,
            _ => 8,
        };
    }
}
