using System.Buffers.Binary;
using System.Text;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Registry;

public sealed class SafetensorsTests
{
    // {"a": float32 [[1, 2]], "n": int64 7} with metadata {"k": "v"}, laid out by hand as the reference implementation does it:
    // the wider type first, the header padded with spaces to a multiple of 8.
    static readonly byte[] Reference =
    [
        0x88, 0, 0, 0, 0, 0, 0, 0,
        .. """{"__metadata__":{"k":"v"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}"""u8,
        .. ""","a":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"""u8,
        .. "  "u8,
        7, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0x80, 0x3F, 0, 0, 0, 0x40,
    ];

    [Fact]
    public void A_file_laid_out_as_the_reference_implementation_does_is_read()
    {
        var file = Safetensors.Read(new BinaryData(Reference));

        Assert.Equal(["n", "a"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1f, 2f], file.GetFloats("a"));
        Assert.Equal(new Shape(1, 2), file["a"].Shape);
        Assert.Equal([7L], file["n"].ToInt64s());
        Assert.Equal(Shape.Scalar, file["n"].Shape);
        Assert.Equal("v", Assert.Single(file.Metadata).Value);
    }

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        NamedTensor[] tensors =
        [
            new("encoder.0.weight", new Shape(2, 3), [1f, -2f, float.NaN, float.Epsilon, float.MaxValue, 0f]),
            new("mask", ElementType.U8, new Shape(3), new byte[] { 1, 0, 255 }),
            new("steps", Shape.Scalar, [long.MinValue]),
            new("none", new Shape(0, 4), ReadOnlySpan<float>.Empty),
        ];
        var written = Safetensors.Write(tensors, new Dictionary<string, string> { ["format"] = "\"pt\" ü" });
        var file = Safetensors.Read(written);

        Assert.Equal(tensors.Select(tensor => tensor.Name), file.Tensors.Select(tensor => tensor.Name));
        foreach (var tensor in tensors)
        {
            Assert.Equal(tensor.Shape, file[tensor.Name].Shape);
            Assert.Equal(tensor.Type, file[tensor.Name].Type);
            Assert.Equal(tensor.Data.ToArray(), file[tensor.Name].Data.ToArray());
        }
        Assert.Equal("\"pt\" ü", file.Metadata["format"]);
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_found()
    {
        var written = Safetensors.Write(
            [new("a", new Shape(4), [1f, 2f, 3f, 4f])], new Dictionary<string, string> { ["k"] = "v" }).ToArray();
        var name = written.AsSpan().IndexOf("seal"u8);
        for (var i = 0; i < written.Length; i++)
        {
            if (i >= name && i < name + 4) continue; // under another name the seal is a note, and the data are whole
            for (var bit = 1; bit < 256; bit <<= 1)
            {
                var damaged = (byte[])written.Clone();
                damaged[i] ^= (byte)bit;
                Assert.Throws<CheckpointException>(() => Safetensors.Read(new BinaryData(damaged)));
            }
        }
    }

    [Fact]
    public void The_data_starts_and_every_tensor_lies_aligned()
    {
        for (var nameLength = 1; nameLength <= 9; nameLength++)
        {
            var bytes = Safetensors.Write(
            [
                new(new string('x', nameLength), ElementType.U8, new Shape(3), new byte[3]),
                new("f", new Shape(1), [1f]),
                new("n", new Shape(1), [2L]),
            ]).ToArray();
            var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);

            Assert.Equal(0, start % 8);
            Assert.Equal(2L, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(start)));
            Assert.Equal(1f, BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(start + 8)));
        }
    }

    [Fact]
    public void Narrow_and_wide_floats_become_float()
    {
        static byte[] Bytes<T>(T value, Func<T, byte[]> code) => code(value);
        var file = Safetensors.Read(Safetensors.Write(
        [
            new("half", ElementType.F16, new Shape(1), Bytes((Half)1.5, BitConverter.GetBytes)),
            new("brain", ElementType.BF16, new Shape(1), new byte[] { 0xC0, 0xBF }), // 0xBFC00000 is -1.5
            new("double", ElementType.F64, new Shape(1), Bytes(0.1, BitConverter.GetBytes)),
        ]));

        Assert.Equal([1.5f], file.GetFloats("half"));
        Assert.Equal([-1.5f], file.GetFloats("brain"));
        Assert.Equal([0.1f], file.GetFloats("double"));
    }

    [Fact]
    public void An_unaligned_tensor_of_a_foreign_writer_is_read()
    {
        var file =
            File("""{"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""",
            [9, 0, 0, 0x80, 0x3F]);

        Assert.Equal([1f], Safetensors.Read(file).GetFloats("f"));
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "not an object")]
    [InlineData("""{"a":""", "not valid JSON")]
    [InlineData("""{"a":1}""", "\"a\" has no dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", "\"a\" has no data_offsets")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}""", "type F8_E4M3")]
    [InlineData("""{"a":{"dtype":5,"shape":[4],"data_offsets":[0,4]}}""", "\"a\" has dtype 5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "\"a\" has 4 bytes, but F32 [2] takes 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}""", "\"a\" has 3 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "only 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "begin ≤ end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "two whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e30]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "has shape [-1]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,4]}}""", "has shape [0.5]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[65536,65536,65536,65536],"data_offsets":[0,4]}}""", "product")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,4]}}""", "product")]
    [InlineData(
        """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "\"b\" begins at byte 2")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}""",
        "\"b\" begins at byte 2|inside another")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "before tensor \"b\"")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "bytes 3 to 4 at the end")]
    [InlineData("""{"__metadata__":{"k":1},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "__metadata__.k")]
    [InlineData("""{"__metadata__":[],"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "__metadata__")]
    public void A_damaged_header_is_refused_with_the_fact(string header, string expected)
    {
        var error = Assert.Throws<CheckpointException>(() => Safetensors.Read(File(header, [0, 0, 0, 0])));
        Assert.Contains(expected.Split('|'), part => error.Message.Contains(part, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(new byte[0], "0 bytes")]
    [InlineData(new byte[] { 1, 2, 3 }, "3 bytes")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 0 }, "limit of 100000000")]
    [InlineData(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 0 }, "another kind of file")]
    [InlineData(new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, (byte)'{' }, "truncated")]
    public void A_file_whose_beginning_makes_no_sense_is_refused(byte[] bytes, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => Safetensors.Read(new BinaryData(bytes))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        for (var length = 0; length < Reference.Length; length++)
            Assert.Throws<CheckpointException>(() => Safetensors.Read(new BinaryData(Reference[..length])));
    }

    [Fact]
    public void Asking_for_a_tensor_that_is_not_there_names_those_that_are()
    {
        var file = Safetensors.Read(new BinaryData(Reference));

        Assert.Contains("n, a", Assert.Throws<CheckpointException>(() => file["b"]).Message, StringComparison.Ordinal);
        Assert.Contains("I64", Assert.Throws<CheckpointException>(() => file.GetFloats("n")).Message, StringComparison.Ordinal);
        Assert.Contains("F32", Assert.Throws<CheckpointException>(() => file["a"].ToInt64s()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tensors_of_one_name_are_not_written() =>
        Assert.Throws<CheckpointException>(() => Safetensors.Write([new("a", Shape.Scalar, [1f]), new("a", Shape.Scalar, [2f])]));

    static BinaryData File(string header, byte[] data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + json.Length);
        return new BinaryData(bytes);
    }
}
