// The model, in a worker, on one thread: more would need cross-origin isolation.
import * as ort from './ort.wasm.min.mjs';

ort.env.wasm.wasmPaths = new URL('./', import.meta.url).href;
ort.env.wasm.numThreads = 1;

// An empty graph fails, but compiles the runtime, which takes longest, while the model is on its way. If that fails, open says so.
const awake = ort.InferenceSession.create(new Uint8Array()).catch(() => {});

const graphs = {};
let shape, latentSize;

const labelsOf = labels => labels && { label: new ort.Tensor('int64', BigInt64Array.from(labels, BigInt), [labels.length]) };

const operations = {
  /** Takes a graph; the first also says what images and latents are like. */
  async open({ name, graph, image, size }) {
    if (image) [shape, latentSize] = [image, size];
    await awake;
    graphs[name] = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ['wasm'] });
    return {};
  },

  /** [N, L] → RGBA, one image after the other. */
  async decode({ latents, labels }) {
    const count = latents.length / latentSize;
    const feeds = { latent: new ort.Tensor('float32', latents, [count, latentSize]), ...labelsOf(labels) };
    const { pixels } = await graphs.decoder.run(feeds);
    const rgba = toRgba(pixels.data, count);
    pixels.dispose();
    return { rgba };
  },

  /** [H, W, C] of one image → [L]. */
  async encode({ pixels, labels }) {
    const feeds = { pixels: new ort.Tensor('uint8', pixels, [1, shape.height, shape.width, shape.channels]), ...labelsOf(labels) };
    const { mean } = await graphs.encoder.run(feeds);
    return { latent: mean.data.slice() };
  },

  /** A latent from a fitted prior: noise, [L], and a uniform number that chooses a part. */
  async drawFitted({ noise, choice }) {
    const feeds = { noise: new ort.Tensor('float32', noise, [1, latentSize]), choice: new ort.Tensor('float32', [choice], [1]) };
    const { latent } = await graphs.prior.run(feeds);
    return { latent: latent.data.slice() };
  },

  /** Draws codes place by place, each given those before it, and gives their latent. A uniform number for each place. */
  async drawCodes({ uniforms, temperature }) {
    const places = uniforms.length;
    const codes = new BigInt64Array(places);
    for (let place = 0; place < places; place++) {
      const { logits } = await graphs.prior.run({ codes: new ort.Tensor('int64', codes, [1, places]) });
      const choices = logits.data.length / places;
      codes[place] = BigInt(choose(logits.data.subarray(place * choices, (place + 1) * choices), uniforms[place], temperature));
    }
    const { latent } = await graphs.prior.run({ codes: new ort.Tensor('int64', codes, [1, places]) });
    return { latent: latent.data.slice() };
  },
};

function toRgba(bytes, count) {
  const places = count * shape.height * shape.width;
  const rgba = new Uint8ClampedArray(places * 4);
  const [green, blue] = shape.channels === 1 ? [0, 0] : [1, 2];
  for (let i = 0, from = 0, to = 0; i < places; i++, from += shape.channels, to += 4) {
    rgba[to] = bytes[from];
    rgba[to + 1] = bytes[from + green];
    rgba[to + 2] = bytes[from + blue];
    rgba[to + 3] = 255;
  }
  return rgba;
}

/** The code at which the cumulated probability passes a uniform number. */
function choose(logits, uniform, temperature) {
  let likeliest = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[likeliest]) likeliest = i;
  if (temperature <= 0) return likeliest;
  const weights = Float64Array.from(logits, value => Math.exp((value - logits[likeliest]) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (let i = 0; i < weights.length; i++) if ((uniform -= weights[i] / sum) < 0) return i;
  return likeliest;
}

self.onmessage = async ({ data }) => {
  try {
    const answer = await operations[data.operation](data);
    const moved = [answer.rgba, answer.latent].filter(Boolean).map(array => array.buffer);
    self.postMessage({ id: data.id, ...answer }, moved);
  } catch (fault) {
    self.postMessage({ id: data.id, fault: String(fault?.message ?? fault) });
  }
};
