// Latent vectors: drawn, mixed, and written short.

/** The random streams of the functions, so that a seed means the same here and there: SplitMix64, named by FNV-1a. */
export class RandomStream {
  static #all = (1n << 64n) - 1n;
  #state;

  constructor(seed, purpose, index = 0) {
    let name = 14695981039346656037n;
    for (const letter of new TextEncoder().encode(purpose)) name = ((name ^ BigInt(letter)) * 1099511628211n) & RandomStream.#all;
    const mix = RandomStream.#mix;
    this.#state = mix((mix(mix(BigInt(seed)) ^ name) + BigInt(index)) & RandomStream.#all);
  }

  static #mix(z) {
    z = ((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n) & RandomStream.#all;
    z = ((z ^ (z >> 27n)) * 0x94D049BB133111EBn) & RandomStream.#all;
    return z ^ (z >> 31n);
  }

  /** Uniform in [0, 1). */
  next() {
    this.#state = (this.#state + 0x9E3779B97F4A7C15n) & RandomStream.#all;
    return Number(RandomStream.#mix(this.#state) >> 11n) / 2 ** 53;
  }

  /** Standard normal, by Box and Muller. */
  gaussian() {
    return Math.fround(Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next()));
  }

  gaussians = (count, deviation) => Float32Array.from({ length: count }, () => deviation * this.gaussian());
}

export const norm = latent => Math.hypot(...latent);

export const add = (latent, amount, direction) => latent.map((value, i) => value + amount * direction[i]);

/** Along the line, but as far from the centre as the ends are: shorter ones look washed out. */
export function between(from, to, t) {
  const mixed = from.map((value, i) => value + (to[i] - value) * t);
  const wanted = norm(from) + (norm(to) - norm(from)) * t;
  const factor = wanted / (norm(mixed) || 1);
  return mixed.map(value => value * factor);
}

/** One array of several vectors. */
export function join(latents) {
  const all = new Float32Array(latents.length * (latents[0]?.length ?? 0));
  latents.forEach((latent, i) => all.set(latent, i * latent.length));
  return all;
}

export function mean(latents) {
  const sum = new Float64Array(latents[0].length);
  for (const latent of latents) for (let i = 0; i < sum.length; i++) sum[i] += latent[i] / latents.length;
  return Float32Array.from(sum);
}

/** A vector as text for addresses: a step, and 16 bits for each number. */
export function pack(latent) {
  const step = Math.fround(Math.max(1e-9, latent.reduce((most, value) => Math.max(most, Math.abs(value)), 0)) / 32767);
  const bytes = new DataView(new ArrayBuffer(4 + 2 * latent.length));
  bytes.setFloat32(0, step, true);
  latent.forEach((value, i) => bytes.setInt16(4 + 2 * i, Math.max(-32767, Math.min(32767, Math.round(value / step))), true));
  return toText(new Uint8Array(bytes.buffer));
}

/** The vector of such a text, or null where it is none of this length. */
export function unpack(text, length) {
  const bytes = fromText(text);
  if (bytes?.length !== 4 + 2 * length) return null;
  const view = new DataView(bytes.buffer);
  const step = view.getFloat32(0, true);
  const latent = Float32Array.from({ length }, (_, i) => view.getInt16(4 + 2 * i, true) * step);
  return latent.every(Number.isFinite) ? latent : null;
}

/** Codes of two bytes each, as text for addresses. */
export const packCodes = codes => toText(new Uint8Array(Uint16Array.from(codes).buffer));

export function unpackCodes(text, places) {
  const bytes = fromText(text);
  return bytes?.length === 2 * places ? new Uint16Array(bytes.buffer) : null;
}

function toText(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromText(text) {
  try {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), letter => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
