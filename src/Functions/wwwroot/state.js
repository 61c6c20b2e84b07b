// What is on the stage. Everything that makes the picture is here, and all of it fits into the address.
import { add, pack, packCodes, unpack, unpackCodes } from './latents.js';

const UNDO = 100, SAVE_AFTER = 300;

/**
 * A base, which is a place in the latent space, and what is done to it.
 *   base: { kind: 'seed', seed, temperature } | { kind: 'point', point } | { kind: 'latent' }, each with its `latent`
 *   label: what a conditional model draws it as
 *   strengths: concept → how much of it; offsets: latent → what is added to it
 *   own: concepts that were made on this page: [{ name, direction }]
 *   stops: the journey, a list of places
 */
export class State extends EventTarget {
  #model;
  #past = [];
  #timer;

  constructor(model) {
    super();
    this.#model = model;
    Object.assign(this, { base: null, label: model.conditional ? 0 : null, strengths: new Map(), offsets: new Map(), own: [], stops: [] });
  }

  get concepts() {
    return [...this.#model.concepts, ...this.own];
  }

  /** The latent of the picture on the stage. */
  get latent() {
    let latent = this.base.latent;
    for (const { name, direction } of this.concepts)
      if (this.strengths.get(name)) latent = add(latent, this.strengths.get(name), direction);
    if (this.offsets.size > 0) {
      latent = latent.slice();
      for (const [i, offset] of this.offsets) latent[i] += offset;
    }
    return latent;
  }

  get isEdited() {
    return this.strengths.size > 0 || this.offsets.size > 0;
  }

  /** The stage as a place: its base where nothing is done to it. */
  get place() {
    return this.isEdited ? this.placeOf(this.latent) : this.base;
  }

  /** A latent from anywhere as a place, rounded as the address rounds it, so that a link shows the same picture. */
  placeOf(latent) {
    if (this.map?.codes) {
      const codes = this.map.codesOf(latent);
      return { kind: 'latent', codes, latent: this.map.latentOfCodes(codes) };
    }
    return { kind: 'latent', latent: unpack(pack(latent), this.#model.size) };
  }

  /** Puts a place on the stage. */
  go(base, { keepEdits = false } = {}) {
    this.#remember();
    this.base = base;
    if (!keepEdits) this.#clearEdits();
    this.#changed(true);
  }

  /** A step of an animation on the way to somewhere, which is not remembered. */
  pass(latent) {
    this.base = { kind: 'latent', latent };
    this.#clearEdits();
    this.#changed(false);
  }

  setStrength(name, value, settled) {
    this.#set(this.strengths, name, value, settled);
  }

  setOffset(index, value, settled) {
    this.#set(this.offsets, index, value, settled);
  }

  setLabel(label) {
    this.#remember();
    this.label = label;
    this.#changed(true);
  }

  setStops(stops) {
    this.stops = stops.slice(-24);
    this.dispatchEvent(new Event('stops'));
    this.#save();
  }

  addOwn(concept) {
    this.own = [...this.own.filter(({ name }) => name !== concept.name), concept];
    this.dispatchEvent(new Event('concepts'));
    this.#save();
  }

  removeOwn(name) {
    this.own = this.own.filter(concept => concept.name !== name);
    this.strengths.delete(name);
    this.dispatchEvent(new Event('concepts'));
    this.#changed(true);
  }

  clearEdits() {
    if (!this.isEdited) return;
    this.#remember();
    this.#clearEdits();
    this.#changed(true);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  undo() {
    const before = this.#past.pop();
    if (!before) return;
    Object.assign(this, before);
    this.#held = false;
    this.#changed(true);
  }

  /** The state as the part of an address behind #. */
  toAddress() {
    const { model, version } = this.#model.name;
    const parts = new URLSearchParams({ model, version, at: this.#write(this.base) });
    if (this.label !== null) parts.set('label', this.label);
    if (this.strengths.size > 0) parts.set('edit', [...this.strengths].map(([name, value]) => `${name}:${value}`).join());
    if (this.offsets.size > 0) parts.set('latents', [...this.offsets].map(([i, value]) => `${i}:${value}`).join());
    for (const { name, direction } of this.own) parts.append('own', `${name}:${pack(direction)}`);
    if (this.stops.length > 0) parts.set('stops', this.stops.map(stop => this.#write(stop)).join('~'));
    return `#${parts}`;
  }

  /** Takes over what an address says, as far as it can be understood. The map gives points their latents. */
  async fromAddress(text, map) {
    this.map = map;
    const parts = new URLSearchParams(text.replace(/^#/, ''));
    this.own = parts.getAll('own').map(part => part.split(':')).map(([name, packed = '']) => ({ name, direction: unpack(packed, this.#model.size) }))
      .filter(({ name, direction }) => direction && isConceptName(name));
    this.base = await this.#read(parts.get('at'), map);
    const label = Number(parts.get('label') ?? NaN);
    if (this.#model.conditional && Number.isInteger(label) && label >= 0 && label < this.#model.labels.length) this.label = label;
    const known = new Set(this.concepts.map(({ name }) => name));
    for (const [name, value] of pairs(parts.get('edit'))) if (known.has(name)) this.strengths.set(name, clamp(value, 3));
    for (const [i, value] of pairs(parts.get('latents')))
      if (Number.isInteger(Number(i)) && i >= 0 && i < this.#model.size) this.offsets.set(Number(i), clamp(value, 20));
    const stops = await Promise.all((parts.get('stops') ?? '').split('~').slice(0, 24).map(stop => this.#read(stop, map)));
    this.stops = stops.filter(Boolean);
    return this.base !== null;
  }

  /** While a slider is dragged, the state from before is kept once. */
  #held = false;

  #set(values, key, value, settled) {
    if (!this.#held) this.#remember();
    this.#held = !settled;
    if (value === 0) values.delete(key);
    else values.set(key, value);
    this.#changed(settled);
  }

  #clearEdits() {
    this.strengths = new Map();
    this.offsets = new Map();
  }

  #remember() {
    const { base, label, strengths, offsets } = this;
    if (!base) return;
    this.#past.push({ base, label, strengths: new Map(strengths), offsets: new Map(offsets) });
    if (this.#past.length > UNDO) this.#past.shift();
  }

  /** `settled` says whether something dear may follow: small pictures, the address. */
  #changed(settled) {
    this.dispatchEvent(new CustomEvent('change', { detail: { settled } }));
    if (settled) this.#save();
  }

  #save() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => history.replaceState(null, '', this.toAddress()), SAVE_AFTER);
  }

  #write(place) {
    if (place.kind === 'seed') return `s${place.seed}t${place.temperature}`;
    if (place.kind === 'point') return `p${place.point}`;
    return place.codes ? `c${packCodes(place.codes)}` : `z${pack(place.latent)}`;
  }

  async #read(text, map) {
    const [kind, rest] = [text?.[0], text?.slice(1) ?? ''];
    if (kind === 's') {
      const [seed, temperature] = rest.split('t').map(Number);
      if (!Number.isSafeInteger(seed) || seed < 0 || !(temperature >= 0 && temperature <= 10) || this.#model.prior === 'none') return null;
      return { kind: 'seed', seed, temperature, latent: await this.#model.draw(seed, temperature) };
    }
    if (kind === 'p' && map) {
      const point = Number(rest);
      return rest && Number.isInteger(point) && point >= 0 && point < map.count ? { kind: 'point', point, latent: map.latent(point) } : null;
    }
    if (kind === 'c' && map?.codes) {
      const codes = unpackCodes(rest, map.places);
      return codes?.every(code => code * map.size / map.places < map.codebook.length)
        ? { kind: 'latent', codes, latent: map.latentOfCodes(codes) } : null;
    }
    const latent = kind === 'z' ? unpack(rest, this.#model.size) : null;
    return latent && { kind: 'latent', latent };
  }
}

/** What the functions take as a concept's name. */
export const isConceptName = name => /^[\p{Ll}\p{Lo}\p{Nd}][\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}_-]{0,62}$/u.test(name);

const clamp = (value, most) => Math.max(-most, Math.min(most, value));

const pairs = text => (text ?? '').split(',').map(part => part.split(':')).filter(part => part.length === 2 && Number.isFinite(Number(part[1])))
  .map(([name, value]) => [name, Number(value)]);
