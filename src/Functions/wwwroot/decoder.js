// Latents to pictures and back: on this device where it can be, by the functions where not.
import { ask, isStatic, operation, postJson, Problem } from './source.js';
import { RandomStream } from './latents.js';
import { pixelsOf, readImage, toPng } from './pictures.js';

/** A model of more bytes is left to the server. */
const LARGEST = 32 << 20;

/** Pictures that the server is asked for at once. */
const A_REQUEST = 32;

export class Decoder {
  /** 'device' or 'server', once ready, and why not the device. */
  where = null;
  reason = '';
  #model;
  #worker = null;
  #waiting = new Map();
  #asked = 0;
  #opened = {};

  constructor(model) {
    this.#model = model;
    // The map is seen first. The functions decode meanwhile, which an export does not have.
    this.ready = isStatic ? this.#start() : model.map.then(() => this.#start());
    this.ready.catch(() => { /* who asks for a picture is told */ });
  }

  /** Pictures of latents, [N, L] in one array → RGBA, and the milliseconds that took. */
  async decode(latents, label = null) {
    const count = latents.length / this.#model.size;
    const labels = this.#labels(label, count);
    const byServer = () => this.#decodeByServer(latents, labels, count);
    let started = performance.now();
    // Until the runtime is awake, a single picture comes from the functions.
    let rgba = !this.where && !isStatic && count === 1 && await byServer().catch(() => null);
    if (!rgba) {
      await this.ready;
      started = performance.now();
      rgba = this.where === 'device' ? (await this.#run('decode', { latents, labels })).rgba : await byServer();
    }
    return { rgba, milliseconds: performance.now() - started };
  }

  /** The latent of a picture: RGBA of the model's size → [L]. */
  async encode(rgba, label = null) {
    await this.ready;
    const labels = this.#labels(label, 1);
    if (this.where === 'device') {
      await this.#open('encoder');
      return (await this.#run('encode', { pixels: pixelsOf(rgba, this.#model.image.channels), labels })).latent;
    }
    const form = new FormData();
    form.append('images', await toPng(rgba, this.#model.image), 'picture.png');
    if (labels) form.append('label', `index:${labels[0]}`);
    const answer = await ask(operation(this.#model.name, 'encode'), { method: 'POST', body: form, accept: 'application/json' });
    return Float32Array.from((await answer.json()).images[0].mean);
  }

  /** A latent from prior.onnx. */
  async draw(seed, temperature) {
    await this.ready;
    if (this.where !== 'device') {
      const answer = await postJson(operation(this.#model.name, 'sample'), { count: 1, seed, temperature });
      return Float32Array.from((await answer.json()).images[0].latent);
    }
    await this.#open('prior');
    const random = new RandomStream(seed, 'sample');
    if (this.#model.prior === 'fitted')
      return (await this.#run('drawFitted', { noise: random.gaussians(this.#model.size, temperature), choice: random.next() })).latent;
    const { places } = await this.#model.map;
    return (await this.#run('drawCodes', { uniforms: Float64Array.from({ length: places }, () => random.next()), temperature })).latent;
  }

  #labels(label, count) {
    if (!this.#model.conditional) return null;
    return Array.isArray(label) ? label : Array(count).fill(label ?? 0);
  }

  async #start() {
    try {
      if (typeof WebAssembly === 'undefined') throw new Problem('this browser has no WebAssembly');
      if (this.#model.bytesOf('decoder.onnx') > LARGEST) throw new Problem('the model is too large');
      const graph = this.#model.file('decoder.onnx');
      const worker = this.#worker = new Worker(new URL('./engine.js', import.meta.url), { type: 'module' });
      const broken = new Promise((_, reject) => {
        worker.onerror = event => reject(new Problem(event.message || 'the runtime cannot be loaded'));
      });
      worker.onmessage = ({ data }) => {
        const { resolve, reject } = this.#waiting.get(data.id);
        this.#waiting.delete(data.id);
        if (data.fault) reject(new Problem(data.fault));
        else resolve(data);
      };
      await Promise.race([this.#open('decoder', graph), broken]);
      this.where = 'device';
      broken.catch(fault => {
        (this.ready = this.#leaveDevice(fault)).catch(() => { /* as above */ });
      });
    } catch (fault) {
      await this.#leaveDevice(fault);
    }
  }

  /** Ends the worker and tells who waits for it; then the server answers, where there is one. */
  async #leaveDevice(fault) {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
    if (isStatic || fault.status === 401) throw new Problem(`The model did not load: ${fault.message}`, fault.status);
    [this.where, this.reason] = ['server', fault.message];
  }

  /** Hands a graph to the worker, once. */
  #open(name, graph = this.#model.file(`${name}.onnx`)) {
    return this.#opened[name] ??= Promise.resolve(graph).then(buffer => this.#run('open', {
      name, graph: buffer, image: this.#model.image, size: this.#model.size,
    }, [buffer])).catch(fault => {
      delete this.#opened[name];
      throw fault;
    });
  }

  #run(operationName, values, moved = []) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#asked, { resolve, reject });
      this.#worker.postMessage({ id: this.#asked, operation: operationName, ...values }, moved);
    });
  }

  async #decodeByServer(latents, labels, count) {
    const { image, size, name } = this.#model;
    const rows = Array.from({ length: count }, (_, i) => [...latents.subarray(i * size, (i + 1) * size)]);
    const each = image.height * image.width * 4;
    const all = new Uint8ClampedArray(count * each);
    for (let from = 0; from < count; from += A_REQUEST) {
      const part = list => list.slice(from, from + A_REQUEST);
      const request = { latents: part(rows), ...(labels && { label: part(labels).map(label => this.#model.labels[label]) }) };
      const { images } = await (await postJson(operation(name, 'decode'), request)).json();
      await Promise.all(images.map(async ({ png }, i) => {
        const bytes = Uint8Array.from(atob(png), letter => letter.charCodeAt(0));
        all.set(await readImage(new Blob([bytes]), image), (from + i) * each);
      }));
    }
    return all;
  }
}
