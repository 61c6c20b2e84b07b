using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace VaeFunctions.Tests;

/// <summary>Which namespaces of an assembly name types of which others, in signatures and in code.</summary>
/// <remarks>Read from the metadata and not from the sources: there a namespace names those around it without a <c>using</c>.
/// Constants, enumerations' values and <c>nameof</c> leave no trace.
/// Tokens and instructions: ECMA-335, II.22 and III.1.2.</remarks>
sealed class NamespaceGraph
{
    static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => field.GetValue(null)).OfType<OpCode>()
        .ToDictionary(code => code.Value & 0xffff, code => code.OperandType);

    readonly MetadataReader metadata;
    readonly Dictionary<(string From, string To), string> arrows = [];

    public NamespaceGraph(PEReader assembly)
    {
        metadata = assembly.GetMetadataReader();
        foreach (var handle in metadata.TypeDefinitions)
            foreach (var named in Named(assembly, metadata.GetTypeDefinition(handle)))
                Add(Outermost(handle), Outermost(named));
    }

    /// <summary>The arrows that are part of a circle, each with one type that makes it.</summary>
    public IEnumerable<string> Circles() =>
        from arrow in arrows
        where Reaches(arrow.Key.To, arrow.Key.From, [])
        orderby arrow.Key
        select $"{arrow.Key.From} → {arrow.Key.To}: {arrow.Value}";

    bool Reaches(string from, string to, HashSet<string> seen) =>
        from == to || (seen.Add(from) && arrows.Keys.Any(arrow => arrow.From == from && Reaches(arrow.To, to, seen)));

    void Add(TypeDefinition from, TypeDefinition to)
    {
        string source = metadata.GetString(from.Namespace), target = metadata.GetString(to.Namespace);
        string user = metadata.GetString(from.Name), used = metadata.GetString(to.Name);
        var isOfCompiler = user.StartsWith('<') || used.StartsWith('<');
        if (source != target && !isOfCompiler) arrows.TryAdd((source, target), $"{user} names {used}");
    }

    TypeDefinition Outermost(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        return type.IsNested ? Outermost(type.GetDeclaringType()) : type;
    }

    /// <summary>The assembly's own types that a type names.</summary>
    HashSet<TypeDefinitionHandle> Named(PEReader assembly, TypeDefinition type)
    {
        var types = new SignatureTypes();
        Collect(type.BaseType, types);
        foreach (var each in type.GetInterfaceImplementations())
            Collect(metadata.GetInterfaceImplementation(each).Interface, types);
        foreach (var each in type.GetFields())
            metadata.GetFieldDefinition(each).DecodeSignature(types, null);
        foreach (var method in type.GetMethods().Select(metadata.GetMethodDefinition))
        {
            method.DecodeSignature(types, null);
            if (method.RelativeVirtualAddress == 0) continue;
            var body = assembly.GetMethodBody(method.RelativeVirtualAddress);
            if (!body.LocalSignature.IsNil)
                metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(types, null);
            foreach (var token in Tokens(body.GetILReader())) Collect(token, types);
        }
        return types.Seen;
    }

    void Collect(EntityHandle handle, SignatureTypes types)
    {
        if (handle.IsNil) return;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                types.Seen.Add((TypeDefinitionHandle)handle);
                break;
            case HandleKind.TypeSpecification:
                metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(types, null);
                break;
            case HandleKind.FieldDefinition:
                Collect(metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType(), types);
                break;
            case HandleKind.MethodDefinition:
                Collect(metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType(), types);
                break;
            case HandleKind.MemberReference:
                Collect(metadata.GetMemberReference((MemberReferenceHandle)handle).Parent, types);
                break;
            case HandleKind.MethodSpecification:
                var method = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                method.DecodeSignature(types, null);
                Collect(method.Method, types);
                break;
        }
    }

    static List<EntityHandle> Tokens(BlobReader code)
    {
        List<EntityHandle> tokens = [];
        while (code.RemainingBytes > 0)
        {
            int instruction = code.ReadByte();
            if (instruction == 0xfe) instruction = instruction << 8 | code.ReadByte();
            var operand = Operands[instruction];
            if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
                tokens.Add(MetadataTokens.EntityHandle(code.ReadInt32()));
            else
                code.Offset += Length(operand, code);
        }
        return tokens;
    }

    static int Length(OperandType operand, BlobReader code) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * code.ReadInt32(),
        _ => 4,
    };

    /// <summary>Gathers the assembly's own types that stand in signatures. The results of the decoding mean nothing.</summary>
    sealed class SignatureTypes : ISignatureTypeProvider<int, object?>
    {
        public HashSet<TypeDefinitionHandle> Seen { get; } = [];

        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte kind) =>
            Seen.Add(handle) ? 1 : 0;

        public int GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte kind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, context);

        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte kind) => 0;

        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

        public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

        public int GetGenericMethodParameter(object? context, int index) => 0;

        public int GetGenericTypeParameter(object? context, int index) => 0;

        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

        public int GetArrayType(int elementType, ArrayShape shape) => 0;

        public int GetByReferenceType(int elementType) => 0;

        public int GetPinnedType(int elementType) => 0;

        public int GetPointerType(int elementType) => 0;

        public int GetSZArrayType(int elementType) => 0;
    }
}
