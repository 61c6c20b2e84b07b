// What part of the map is seen, and how large: between the disc of radius 1 and the canvas's pixels.
const MOST_ZOOM = 9, ROOM = [40, 56];

export class Camera {
  width = 1;
  height = 1;
  /** Pixels of the device for each of the page's. */
  ratio = 1;
  zoom = 1;
  #scale = 1;
  #centre = [0, 0];
  #changed;

  constructor(canvas, changed) {
    this.#changed = changed;
    new ResizeObserver(() => this.#resize(canvas)).observe(canvas.parentElement);
    this.#resize(canvas);
  }

  /** Pixels to a unit of the disc. */
  get scale() {
    return this.#scale * this.zoom;
  }

  x = x => this.width / 2 + (x - this.#centre[0]) * this.scale;
  y = y => this.height / 2 + (y - this.#centre[1]) * this.scale;

  /** Pixels to a place on the disc. */
  placeAt = ([px, py]) => [(px - this.width / 2) / this.scale + this.#centre[0], (py - this.height / 2) / this.scale + this.#centre[1]];

  panBy(px, py) {
    this.#lookAt([this.#centre[0] - px / this.scale, this.#centre[1] - py / this.scale]);
  }

  /** What lies at a pixel stays there. */
  zoomBy(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.placeAt([px, py]);
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    this.#lookAt([x - (px - this.width / 2) / this.scale, y - (py - this.height / 2) / this.scale]);
  }

  #lookAt(centre) {
    const most = 1 - 1 / this.zoom;
    this.#centre = centre.map(value => Math.max(-most, Math.min(most, value)));
    this.#changed();
  }

  #resize(canvas) {
    const { width, height } = canvas.parentElement.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    [this.width, this.height] = [width, height];
    Object.assign(canvas, { width: width * this.ratio, height: height * this.ratio });
    this.#scale = Math.min(width - ROOM[0], height - ROOM[1]) / 2;
    this.#changed();
  }
}
