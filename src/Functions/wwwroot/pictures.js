// Pixels and canvases: RGBA is what pictures are in between.

export const $ = id => document.getElementById(id);

/** An element with properties, attributes (in `set`) and children. Texts are texts: nothing is read as HTML. */
export function make(tag, { set = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(set)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A canvas of the model's size that shows one picture. */
export function makePicture({ width, height }, label) {
  const canvas = make('canvas', { width, height, className: 'pixels' });
  if (label) {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', label);
  }
  return canvas;
}

export function paint(canvas, rgba) {
  canvas.getContext('2d').putImageData(new ImageData(rgba, canvas.width, canvas.height), 0, 0);
}

/** One picture out of several that lie one after the other. */
export const slice = (rgba, { width, height }, i) => rgba.slice(i * width * height * 4, (i + 1) * width * height * 4);

/** RGBA to the bytes that the model takes: grey or RGB. */
export function pixelsOf(rgba, channels) {
  const pixels = new Uint8Array(rgba.length / 4 * channels);
  for (let i = 0; i < rgba.length / 4; i++) {
    const [red, green, blue] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    if (channels === 1) pixels[i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    else pixels.set([red, green, blue], i * 3);
  }
  return pixels;
}

/** A file's picture as the model sees it: fitted as its training images were, and grey where they are grey. */
export async function readImage(file, { width, height, channels }, fit = 'crop') {
  const bitmap = await createImageBitmap(file);
  const [across, down] = [width / bitmap.width, height / bitmap.height];
  const even = fit === 'pad' ? Math.min(across, down) : Math.max(across, down);
  const [wide, high] = fit === 'stretch' ? [width, height] : [bitmap.width * even, bitmap.height * even];
  const place = [(width - wide) / 2, (height - high) / 2, wide, high];
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.fillRect(0, 0, width, height); // black beside it
  context.fillStyle = '#fff'; // transparent parts lie on white
  context.fillRect(...place);
  context.drawImage(bitmap, ...place);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  return channels === 1 ? greyOf(rgba) : rgba;
}

function greyOf(rgba) {
  const grey = pixelsOf(rgba, 1);
  return Uint8ClampedArray.from(rgba, (value, i) => i % 4 === 3 ? 255 : grey[i >> 2]);
}

export async function toPng(rgba, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  paint(canvas, new Uint8ClampedArray(rgba));
  return canvas.convertToBlob({ type: 'image/png' });
}

export function download(blob, name) {
  const link = make('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The mean squared difference of two pictures, pixels in [0, 1]. */
export function errorOf(left, right) {
  let sum = 0;
  for (let i = 0; i < left.length; i++) if (i % 4 !== 3) sum += (left[i] - right[i]) ** 2;
  return sum / (255 * 255 * left.length * 3 / 4);
}

/** The picture in dim grey, and over it where it differs from another: through red and yellow to white. */
export function overlayOf(picture, other) {
  const grey = pixelsOf(picture, 1);
  const overlay = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < picture.length; i += 4) {
    const difference = Math.abs(picture[i] - other[i]) + Math.abs(picture[i + 1] - other[i + 1]) + Math.abs(picture[i + 2] - other[i + 2]);
    for (let c = 0; c < 3; c++)
      overlay[i + c] = grey[i >> 2] / 2 + Math.max(0, Math.min(255, Math.trunc(difference) - 255 * c));
    overlay[i + 3] = 255;
  }
  return overlay;
}

/** The share of ordinary pictures with a lower error: between the manifest's quantiles in straight lines. */
export function percentileOf(quantiles, error) {
  const known = [[0, 0], ...Object.entries(quantiles).map(([share, score]) => [Number(share), score]).sort((a, b) => a[0] - b[0])];
  if (error <= 0) return 0;
  for (let i = 1; i < known.length; i++) {
    const [[lowShare, low], [highShare, high]] = [known[i - 1], known[i]];
    if (error <= high) return high > low ? lowShare + (highShare - lowShare) * (error - low) / (high - low) : lowShare;
  }
  return 1;
}

/** An animated PNG of frames of one size; it repeats for ever. */
export async function toAnimation(frames, { width, height }, milliseconds) {
  const parts = [new Uint8Array([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
    chunk('IHDR', [...word(width), ...word(height), 8, 2, 0, 0, 0]), chunk('acTL', [...word(frames.length), ...word(0)])];
  let sequence = 0;
  for (const [i, frame] of frames.entries()) {
    parts.push(chunk('fcTL', [...word(sequence++), ...word(width), ...word(height), ...word(0), ...word(0),
      milliseconds >> 8, milliseconds & 255, 1000 >> 8, 1000 & 255, 0, 0]));
    const packed = await deflate(scanLines(frame, width, height));
    parts.push(i === 0 ? chunk('IDAT', packed) : chunk('fdAT', new Uint8Array([...word(sequence++), ...packed])));
  }
  return new Blob([...parts, chunk('IEND', [])], { type: 'image/png' });
}

/** Rows of RGB, each behind the number of its filter, of which there is none. */
function scanLines(rgba, width, height) {
  const lines = new Uint8Array(height * (1 + width * 3));
  for (let y = 0, to = 0; y < height; y++) {
    to++;
    for (let from = y * width * 4, x = 0; x < width; x++, from += 4, to += 3) lines.set(rgba.subarray(from, from + 3), to);
  }
  return lines;
}

async function deflate(bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer());
}

const word = value => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

function chunk(type, data) {
  const bytes = new Uint8Array(12 + data.length);
  bytes.set(word(data.length));
  bytes.set([...type].map(letter => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  bytes.set(word(crc(bytes.subarray(4, 8 + data.length))), 8 + data.length);
  return bytes;
}

function crc(bytes) {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0xEDB88320 & -(value & 1));
  }
  return ~value >>> 0;
}
