// A published version: its manifest, concepts and map, and a decoder for it.
import { ask, askJson, fileOf, isStatic, operation, postJson, Problem } from './source.js';
import { Decoder } from './decoder.js';
import { RandomStream } from './latents.js';

const MOST_SAVED = 24;

export class Model {
  /** Opens a version. Map and graphs follow: `map` and `decoder.ready` are promises. */
  static async open(name) {
    const manifest = await askJson(fileOf(name, 'manifest.json'));
    const model = new Model(name, manifest);
    model.concepts = await model.#readConcepts();
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
    if (this.prior === 'autoregressive') return this.decoder.drawCodes(seed, temperature);
    const random = new RandomStream(seed, 'sample');
    return Float32Array.from({ length: this.size }, () => temperature * random.gaussian());
  }

  /** The concepts that are published and, where there is a server, those that people saved. */
  async #readConcepts() {
    const published = this.has('concepts.safetensors') ? conceptsOf(readTensors(await this.file('concepts.safetensors'))) : [];
    if (isStatic) return published;
    const known = new Set(published.map(({ name }) => name));
    try {
      const { concepts } = await askJson(operation(this.name, 'concepts'));
      const saved = concepts.map(({ name }) => name).filter(name => !known.has(name)).slice(0, MOST_SAVED);
      return [...published, ...await Promise.all(saved.map(name => this.#savedConcept(name)))];
    } catch (fault) {
      if (fault.status === 401) throw fault;
      return published; // without the server, saved concepts are out of reach, and all else works
    }
  }

  /** A sum of one term is the direction of a concept that lies on the server. */
  async #savedConcept(name) {
    const request = { terms: [{ concept: name }], ...(this.conditional && { label: 0 }) };
    const { latent } = await (await postJson(operation(this.name, 'arithmetic'), request)).json();
    return { name, direction: Float32Array.from(latent), saved: true };
  }

  async #readMap() {
    if (!this.has('map.safetensors')) return null;
    const [description, tensors] = await Promise.all([askJson(fileOf(this.name, 'map.json')), this.file('map.safetensors').then(readTensors)]);
    return new LatentMap(this, description, tensors);
  }
}

/** Training images laid out on a disc, each with its latent. */
class LatentMap {
  constructor(model, description, { tensors }) {
    Object.assign(this, { count: description.count, klPerLatent: description.klPerLatent, attributeRanges: description.attributes });
    this.positions = Float32Array.from(tensors.positions, value => value / 32767);
    this.colours = tensors.colours;
    this.labels = tensors.labels ?? null;
    this.attributes = tensors.attributes ?? null;
    this.codes = tensors.codes ?? null;
    this.codebook = tensors.codebook ?? null;
    this.places = this.codes ? this.codes.length / this.count : 0;
    this.size = model.size;
    this.latents = this.codes
      ? null
      : Float32Array.from(tensors.latents, (value, i) => value * tensors.steps[i % model.size]);
  }

  latent(point) {
    if (this.latents) return this.latents.slice(point * this.size, (point + 1) * this.size);
    return this.latentOfCodes(this.codes.subarray(point * this.places, (point + 1) * this.places));
  }

  latentOfCodes(codes) {
    const depth = this.size / this.places;
    const latent = new Float32Array(this.size);
    codes.forEach((code, place) => latent.set(this.codebook.subarray(code * depth, (code + 1) * depth), place * depth));
    return latent;
  }

  /** The nearest code of each place of a latent. */
  codesOf(latent) {
    const depth = this.size / this.places;
    return Uint16Array.from({ length: this.places }, (_, place) => {
      let [nearest, least] = [0, Infinity];
      for (let code = 0; code * depth < this.codebook.length; code++) {
        let distance = 0;
        for (let i = 0; i < depth && distance < least; i++) distance += (this.codebook[code * depth + i] - latent[place * depth + i]) ** 2;
        if (distance < least) [nearest, least] = [code, distance];
      }
      return nearest;
    });
  }

  /** How far a point lies from a latent, squared: a number that only sorts. */
  distance(point, latent) {
    let sum = 0;
    if (this.latents) {
      for (let i = 0, at = point * this.size; i < this.size; i++, at++) sum += (this.latents[at] - latent[i]) ** 2;
      return sum;
    }
    const depth = this.size / this.places;
    for (let place = 0; place < this.places; place++) {
      const code = this.codes[point * this.places + place] * depth;
      for (let i = 0; i < depth; i++) sum += (this.codebook[code + i] - latent[place * depth + i]) ** 2;
    }
    return sum;
  }

  /** The nearest points to a latent, the nearest first: [{ point, distance }]. */
  nearest(latent, count) {
    const all = Array.from({ length: this.count }, (_, point) => ({ point, distance: this.distance(point, latent) }));
    return all.sort((left, right) => left.distance - right.distance).slice(0, count);
  }

  /** An attribute of a point, from 0 to 1. */
  attribute(point, column) {
    return this.attributes[point * this.attributeRanges.length + column] / 255;
  }

  label(point) {
    return this.labels ? this.labels[point] : null;
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
