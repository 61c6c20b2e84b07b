using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using VaeFunctions.Imaging;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

public sealed class TensorBoardFileTests
{
    static EpochMetrics Epoch { get; } = new(3, new(200, 40, 10), new(90, 30, 10), 1234, 5) { LearningRate = 0.001 };

    static readonly Image Picture = new(2, 1, 1, [7, 9]);

    /// <summary>CRC-32C by the definition, bit by bit (RFC 3720, appendix B.4: of "123456789" it is E3069283).</summary>
    static uint Crc(ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        foreach (var value in content)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 1 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }

    static uint Masked(ReadOnlySpan<byte> content) => ((Crc(content) >> 15) | (Crc(content) << 17)) + 0xa282ead8;

    static List<byte[]> Records(byte[] file)
    {
        List<byte[]> records = [];
        for (var place = 0; place < file.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(place));
            Assert.Equal(Masked(file.AsSpan(place, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place + 8)));
            var content = file.AsSpan(place + 12, length);
            Assert.Equal(Masked(content), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place + 12 + length)));
            records.Add(content.ToArray());
            place += length + 16;
        }
        return records;
    }

    /// <summary>The fields of a message, by number.</summary>
    static ILookup<int, object> Fields(byte[] message)
    {
        List<(int Number, object Value)> fields = [];
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and var tag)
        {
            fields.Add((WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => input.ReadInt64(),
                WireFormat.WireType.Fixed64 => input.ReadDouble(),
                WireFormat.WireType.Fixed32 => input.ReadFloat(),
                _ => input.ReadBytes().ToByteArray(),
            }));
        }
        return fields.ToLookup(field => field.Number, field => field.Value);
    }

    [Fact]
    public void The_checksum_is_that_of_the_standard() => Assert.Equal(0xE3069283u, Crc("123456789"u8));

    [Fact]
    public void An_epoch_is_a_file_of_checked_records_with_its_figures_and_pictures()
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
        var records = Records(TensorBoardFile.Write(Epoch, time, [("samples", Picture)]));
        Assert.Equal(2, records.Count);
        var first = Fields(records[0]);
        Assert.Equal("brain.Event:2", Encoding.UTF8.GetString((byte[])first[3].Single()));
        var second = Fields(records[1]);
        Assert.Equal((1_700_000_000.5, 3L), ((double)second[1].Single(), (long)second[2].Single()));

        var values = Fields((byte[])second[5].Single())[1].Select(value => Fields((byte[])value)).ToList();
        var scalars = values.Where(value => value.Contains(2))
            .ToDictionary(value => Encoding.UTF8.GetString((byte[])value[1].Single()), value => (float)value[2].Single());
        Assert.Equal(24, scalars["train/loss"]); // (200 + 40) / 10
        Assert.Equal(12, scalars["test/loss"]);
        Assert.Equal(3, scalars["test/kl"]);
        Assert.Equal(0.001f, scalars["training/learning_rate"]);
        Assert.DoesNotContain("training/perplexity", scalars.Keys); // there is no codebook

        var picture = Assert.Single(values, value => value.Contains(4));
        Assert.Equal("samples", Encoding.UTF8.GetString((byte[])picture[1].Single()));
        var image = Fields((byte[])picture[4].Single());
        Assert.Equal((1L, 2L, 1L), ((long)image[1].Single(), (long)image[2].Single(), (long)image[3].Single()));
        Assert.Equal(Picture.Pixels, ImageCodec.Decode((byte[])image[4].Single()).Pixels);
    }

    [Fact]
    public void Files_of_epochs_sort_by_epoch() =>
        Assert.True(string.CompareOrdinal(TensorBoardFile.NameOf(9), TensorBoardFile.NameOf(10)) < 0);
}
