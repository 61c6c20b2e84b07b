// The server that one writes with Node: onnxruntime-node decodes, sharp makes the PNG. `./vae bench serve` measures it.
// node serve.mjs decoder.onnx PORT; POST {"latents": [[…], …]} answers a grid of the images.
import http from 'node:http';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const [model, port] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
const padding = 2;

async function decode(latents) {
  const latent = new ort.Tensor('float32', latents.flat(), [latents.length, latents[0].length]);
  const { pixels } = await session.run({ latent });
  return pixels;
}

function grid({ data, dims: [count, height, width, channels] }) {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const sheet = { width: columns * (width + padding) + padding, height: rows * (height + padding) + padding, channels };
  const bytes = Buffer.alloc(sheet.width * sheet.height * channels, 255);
  for (let i = 0; i < count; i++) {
    const left = padding + (i % columns) * (width + padding);
    const top = padding + Math.floor(i / columns) * (height + padding);
    for (let y = 0; y < height; y++) {
      const row = (i * height + y) * width * channels;
      bytes.set(data.subarray(row, row + width * channels), ((top + y) * sheet.width + left) * channels);
    }
  }
  return sharp(bytes, { raw: sheet }).png().toBuffer();
}

http
  .createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { latents } = JSON.parse(Buffer.concat(chunks));
    response.setHeader('Content-Type', 'image/png').end(await grid(await decode(latents)));
  })
  .listen(Number(port), '127.0.0.1');
