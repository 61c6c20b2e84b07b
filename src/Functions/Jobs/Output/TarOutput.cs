using System.Formats.Tar;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>A TAR for each slice, as WebDataset reads them: name.png and name.json side by side.</summary>
sealed class TarOutput(Job job, int slice, IBlobStore store) : SliceOutput(job, slice, store, ".tar")
{
    protected override bool TakesPictures => true;

    protected override async Task<BinaryData> PackAsync(IReadOnlyList<SliceRow> rows, CancellationToken cancellation)
    {
        var content = new MemoryStream();
        await using (var tar = new TarWriter(content, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, result, png) in rows)
            {
                if (png is not null)
                    await AddAsync($"{name}.png", new MemoryStream(png));
                await AddAsync($"{name}.json", Answers.Document(result).ToStream());
            }

            Task AddAsync(string name, Stream data) => tar.WriteEntryAsync(
                // The same slice again gives the same bytes.
                new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data, ModificationTime = Job.Created },
                cancellation);
        }
        return new(content.GetBuffer().AsMemory(0, (int)content.Length));
    }
}
