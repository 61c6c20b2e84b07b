// A published version: its manifest, concepts and map, and a decoder for it.
import { ask, askJson, fileOf, isStatic, operation, postJson, Problem } from './source.js';
import { Decoder } from './decoder.js';
import { RandomStream } from './latents.js';
import { LatentMap } from './points.js';

const MOST_SAVED = 24;

export class Model {
  /** Opens a version with its own concepts. Map and graphs follow: `map` and `decoder.ready` are promises. */
  static async open(name) {
    const model = new Model(name, await askJson(fileOf(name, 'manifest.json')));
    model.concepts = model.has('concepts.safetensors') ? conceptsOf(readTensors(await model.file('concepts.safetensors'))) : [];
    return model;
  }

  constructor(name, manifest) {
    Object.assign(this, { name, manifest, image: manifest.image, size: manifest.latentSize, labels: manifest.labels ?? [] });
    this.conditional = manifest.conditional === true;
    this.prior = manifest.prior ?? 'standard-normal';
    this.map = this.#readMap().catch(fault => {
      console.warn(fault.message);
      return null;
    });
    this.decoder = new Decoder(this);
  }

  has(file) {
    return this.manifest.files.some(entry => entry.name === file);
  }

  bytesOf(file) {
    return this.manifest.files.find(entry => entry.name === file)?.size ?? 0;
  }

  async file(name) {
    return (await ask(fileOf(this.name, name))).arrayBuffer();
  }

  /** A latent from the prior; the same seed gives what the functions' sample gives. */
  async draw(seed, temperature) {
    if (this.prior === 'none') throw new Problem('This model is a plain autoencoder: nothing says which of its latents are likely.');
    return this.prior === 'standard-normal'
      ? new RandomStream(seed, 'sample').gaussians(this.size, temperature)
      : this.decoder.draw(seed, temperature);
  }

  /** Adds the concepts that people saved; without the server they are out of reach, and all else works. */
  async addSavedConcepts() {
    if (isStatic) return;
    try {
      const known = new Set(this.concepts.map(({ name }) => name));
      const { concepts } = await askJson(operation(this.name, 'concepts'));
      const saved = concepts.map(({ name }) => name).filter(name => !known.has(name)).slice(0, MOST_SAVED);
      for (const { value, reason } of await Promise.allSettled(saved.map(name => this.#savedConcept(name)))) {
        if (value) this.concepts.push(value);
        else console.warn(reason.message);
      }
    } catch (fault) {
      if (fault.status === 401) throw fault;
    }
  }

  /** A sum of one term is the direction of a concept that lies on the server. */
  async #savedConcept(name) {
    const request = { terms: [{ concept: name }], ...(this.conditional && { label: this.labels[0] }) };
    const { latent } = await (await postJson(operation(this.name, 'arithmetic'), request)).json();
    return { name, direction: Float32Array.from(latent), saved: true };
  }

  async #readMap() {
    if (!this.has('map.safetensors')) return null;
    const [description, tensors] = await Promise.all([askJson(fileOf(this.name, 'map.json')), this.file('map.safetensors').then(readTensors)]);
    return new LatentMap(this, description, tensors);
  }
}

function conceptsOf({ tensors, metadata }) {
  return Object.keys(tensors).filter(name => name.endsWith('.mean')).map(name => name.slice(0, -'.mean'.length)).sort()
    .map(name => ({
      name,
      direction: tensors[`${name}.mean`].map(value => value * Number(metadata[`${name}.unit`] ?? 1)),
      plane: tensors[`${name}.logistic`],
    }));
}

/** safetensors: a length, JSON, and numbers. */
function readTensors(buffer) {
  const kinds = { F32: Float32Array, I8: Int8Array, U8: Uint8Array, I16: Int16Array, U16: Uint16Array };
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...header } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = Object.create(null);
  for (const [name, { dtype, data_offsets: [begin, end] }] of Object.entries(header))
    tensors[name] = new kinds[dtype](buffer.slice(8 + length + begin, 8 + length + end));
  return { tensors, metadata };
}
