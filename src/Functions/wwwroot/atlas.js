// Thumbnails of the map's images in one canvas. Before one is decoded, its mean colour stands for it.
import { join } from './latents.js';
import { paint, slice } from './pictures.js';

export const THUMB = 32;
const COLUMNS = 50, AT_ONCE = 50;

export class Atlas {
  #map;
  #model;
  #all = new OffscreenCanvas(COLUMNS * THUMB, THUMB);
  #cell = new OffscreenCanvas(THUMB, THUMB);
  #whole;

  constructor(map, model) {
    [this.#map, this.#model] = [map, model];
    this.#all.height = Math.ceil(map.count / COLUMNS) * THUMB;
    this.#whole = new OffscreenCanvas(model.image.width, model.image.height);
    this.#paintDots();
  }

  /** Draws a thumbnail into a square. */
  draw(context, point, x, y, side) {
    context.drawImage(this.#all, point % COLUMNS * THUMB, Math.floor(point / COLUMNS) * THUMB, THUMB, THUMB, x, y, side, side);
  }

  /** Decodes all of them, some at a time. */
  async decode(progress) {
    for (let first = 0; first < this.#map.count; first += AT_ONCE) {
      const points = Array.from({ length: Math.min(AT_ONCE, this.#map.count - first) }, (_, i) => first + i);
      const all = join(points.map(point => this.#map.latent(point)));
      const labels = this.#model.conditional ? points.map(point => this.#map.label(point) ?? 0) : null;
      const { rgba } = await this.#model.decoder.decode(all, labels);
      points.forEach((point, i) => this.#paint(point, slice(rgba, this.#model.image, i)));
      progress();
      await new Promise(resolve => setTimeout(resolve)); // sliders come first
    }
  }

  #paintDots() {
    const context = this.#all.getContext('2d');
    for (let i = 0; i < this.#map.count; i++) {
      const [red, green, blue] = this.#map.colours.subarray(3 * i, 3 * i + 3);
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.beginPath();
      context.arc((i % COLUMNS + 0.5) * THUMB, (Math.floor(i / COLUMNS) + 0.5) * THUMB, THUMB * 0.36, 0, 7);
      context.fill();
    }
  }

  /** Rounded corners are cut once, here, and not in every frame. */
  #paint(point, rgba) {
    const { width, height } = this.#model.image;
    paint(this.#whole, rgba);
    const context = this.#cell.getContext('2d');
    const scale = THUMB / Math.max(width, height);
    const [wide, high] = [width * scale, height * scale];
    context.globalCompositeOperation = 'copy';
    context.imageSmoothingEnabled = width > THUMB || height > THUMB;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#whole, (THUMB - wide) / 2, (THUMB - high) / 2, wide, high);
    context.globalCompositeOperation = 'destination-in';
    context.beginPath();
    context.roundRect((THUMB - wide) / 2, (THUMB - high) / 2, wide, high, THUMB * 0.28);
    context.fill();
    const [atlas, x, y] = [this.#all.getContext('2d'), point % COLUMNS * THUMB, Math.floor(point / COLUMNS) * THUMB];
    atlas.clearRect(x, y, THUMB, THUMB);
    atlas.drawImage(this.#cell, x, y);
  }
}
