using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using VaeFunctions.Imaging;

namespace VaeFunctions.Training;

/// <summary>An epoch's figures and pictures as a file of events, which TensorBoard shows.</summary>
/// <remarks>Records as in TFRecord: length (8 bytes), its checksum, an Event message, its checksum, all little-endian. Each epoch
/// is a file of its own, since TensorBoard reads those of a folder one after the other by name, and storage replaces files
/// whole.</remarks>
public static class TensorBoardFile
{
    // The numbers of the fields in TensorFlow's event.proto and summary.proto.
    const int WallTime = 1, Step = 2, FileVersion = 3, Summary = 5;
    const int Value = 1, Tag = 1, SimpleValue = 2, Picture = 4;
    const int Height = 1, Width = 2, Colourspace = 3, Encoded = 4;

    /// <summary>A name that sorts by epoch.</summary>
    public static string NameOf(int epoch) => $"tensorboard/events.out.tfevents.{epoch:0000000}";

    /// <param name="time">When the epoch ended.</param>
    /// <param name="pictures">By name, such as samples.</param>
    public static byte[] Write(EpochMetrics epoch, DateTimeOffset time, IEnumerable<(string Name, Image Image)> pictures)
    {
        var stream = new MemoryStream();
        AddRecord(stream, Event(time, epoch.Epoch, message =>
        {
            message.WriteTag(FileVersion, WireFormat.WireType.LengthDelimited);
            message.WriteString("brain.Event:2");
        }));
        var line = MetricsLine.Of(epoch);
        AddRecord(stream, Event(time, epoch.Epoch, message => AddMessage(message, Summary, summary =>
        {
            foreach (var (name, _, value) in MetricsFile.Columns)
            {
                if (name == "epoch" || value(line) is not { } figure) continue;
                AddMessage(summary, Value, entry =>
                {
                    AddTag(entry, TagOf(name));
                    entry.WriteTag(SimpleValue, WireFormat.WireType.Fixed32);
                    entry.WriteFloat((float)figure);
                });
            }
            foreach (var (name, image) in pictures) AddMessage(summary, Value, entry => AddPicture(entry, name, image));
        })));
        return stream.ToArray();
    }

    /// <summary>train_loss as train/loss, so that what belongs together stands together.</summary>
    static string TagOf(string column)
    {
        var underscore = column.IndexOf('_', StringComparison.Ordinal);
        return column.StartsWith("train_", StringComparison.Ordinal) || column.StartsWith("test_", StringComparison.Ordinal)
            ? column[..underscore] + "/" + column[(underscore + 1)..]
            : "training/" + column;
    }

    static void AddPicture(CodedOutputStream entry, string name, Image image)
    {
        AddTag(entry, name);
        AddMessage(entry, Picture, picture =>
        {
            (int, int)[] sizes = [(Height, image.Height), (Width, image.Width), (Colourspace, image.Channels)];
            foreach (var (field, number) in sizes)
            {
                picture.WriteTag(field, WireFormat.WireType.Varint);
                picture.WriteInt32(number);
            }
            picture.WriteTag(Encoded, WireFormat.WireType.LengthDelimited);
            picture.WriteBytes(ByteString.CopyFrom(ImageCodec.EncodePng(image)));
        });
    }

    static byte[] Event(DateTimeOffset time, int step, Action<CodedOutputStream> content) => Message(message =>
    {
        message.WriteTag(WallTime, WireFormat.WireType.Fixed64);
        message.WriteDouble(time.ToUnixTimeMilliseconds() / 1000.0);
        message.WriteTag(Step, WireFormat.WireType.Varint);
        message.WriteInt64(step);
        content(message);
    });

    static void AddTag(CodedOutputStream message, string tag)
    {
        message.WriteTag(Tag, WireFormat.WireType.LengthDelimited);
        message.WriteString(tag);
    }

    static void AddMessage(CodedOutputStream message, int field, Action<CodedOutputStream> content)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteBytes(ByteString.CopyFrom(Message(content)));
    }

    static byte[] Message(Action<CodedOutputStream> content)
    {
        var stream = new MemoryStream();
        using (var message = new CodedOutputStream(stream, leaveOpen: true)) content(message);
        return stream.ToArray();
    }

    static void AddRecord(MemoryStream stream, byte[] content)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, content.Length);
        stream.Write(length);
        AddChecksum(stream, length);
        stream.Write(content);
        AddChecksum(stream, content);
    }

    /// <summary>CRC-32C, turned and moved so that the checksum of bytes that hold checksums is still a good one.</summary>
    static void AddChecksum(MemoryStream stream, ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        foreach (var value in content) crc = BitOperations.Crc32C(crc, value);
        Span<byte> masked = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(masked, BitOperations.RotateRight(~crc, 15) + 0xa282ead8);
        stream.Write(masked);
    }
}
