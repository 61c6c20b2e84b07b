// The map: training images as thumbnails, decoded from their latents. Drawn only while something moves.
import { Atlas, THUMB } from './atlas.js';
import { Camera } from './camera.js';
import { Colouring } from './colouring.js';
import { Gestures } from './gestures.js';
import { newestWins } from './motion.js';
import { $, make, makePicture, paint } from './pictures.js';
import { resample } from './points.js';
import { pointOf } from './stage.js';

const SIZE = 0.0425, FAR = 0.12, LENS = 0.09, NEIGHBOURS = 8, STOPS = 7, MOST_PINS = 12;

export class LatentMapView {
  #model; #state; #app; #map; #camera; #atlas; #colouring;
  #context = $('map').getContext('2d');
  #light; #aim;
  #awake = false; #dirty = true;
  #here = null; #goal = null;
  #line = null; #walked = null;
  #pins = []; #stops = [];

  /** How drags are taken: 'walk' or 'lasso'. */
  mode = 'walk';
  onlasso = null;
  onwalk = null;

  constructor(app, map) {
    [this.#app, this.#model, this.#state, this.#map] = [app, app.model, app.state, map];
    this.#light = new Float32Array(map.count).fill(1);
    this.#aim = this.#light.slice();
    this.#atlas = new Atlas(map, app.model);
    this.#colouring = new Colouring(map, app.model.labels, () => this.redraw());
    this.#camera = new Camera($('map'), () => this.redraw());
    this.showLens = newestWins(latent => this.#paintLens(latent));
    this.#bind();
    this.#state.addEventListener('change', ({ detail }) => this.#place(detail.settled));
    this.#state.addEventListener('stops', () => {
      this.#walked = null;
      this.#stops = this.#state.stops.map(stop => map.positionOf(stop.latent));
      this.redraw();
    });
    performance.mark('map');
  }

  redraw() {
    this.#dirty = true;
    this.#wake();
  }

  /** Decodes the thumbnails, when the stage has its picture. */
  async decodeThumbnails() {
    await this.#atlas.decode(() => {
      this.redraw();
      this.#showNeighbours();
    });
    performance.mark('thumbnails');
  }

  /** Lights up where a concept is strong; null lights everything. */
  spotlight(concept) {
    this.#wake();
    if (concept) this.#aim.set(concept.light ??= this.#map.strengths(concept));
    else this.#aim.fill(1);
  }

  /** Lights up some points; null lights everything. */
  highlight(points, others = 0.15) {
    this.#aim.fill(points ? others : 1);
    for (const point of points ?? []) this.#aim[point] = 1;
    this.#wake();
  }

  /** A pin where a picture lies. */
  pin(latent) {
    this.#pins = [...this.#pins, this.#map.positionOf(latent)].slice(-MOST_PINS);
    this.redraw();
  }

  /** The points that the search has found, or those nearest to the stage. */
  pointsAround(count) {
    return this.#colouring.search($('search').value) ?? this.#map.nearest(this.#state.latent, count).map(({ point }) => point);
  }

  #wake() {
    if (this.#awake) return;
    this.#awake = true;
    requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    let moving = false;
    for (let i = 0; i < this.#light.length; i++) {
      const left = this.#aim[i] - this.#light[i];
      if (Math.abs(left) > 0.01) {
        this.#light[i] += left * 0.25;
        moving = this.#dirty = true;
      } else {
        this.#light[i] = this.#aim[i];
      }
    }
    if (this.#dirty) this.#draw();
    this.#dirty = false;
    moving = this.#moveMarker() || moving;
    this.#awake = moving;
    if (moving) requestAnimationFrame(() => this.#frame());
  }

  #draw() {
    const [context, { x: toX, y: toY, width, height, ratio, scale }] = [this.#context, this.#camera];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const size = Math.max(5, SIZE * scale);
    const coloured = this.#colouring.numbers !== null;
    for (let i = 0; i < this.#map.count; i++) {
      const [x, y] = [toX(this.#map.positions[2 * i]), toY(this.#map.positions[2 * i + 1])];
      if (x < -size || y < -size || x > width + size || y > height + size) continue;
      const side = size * (0.6 + 0.4 * this.#light[i]);
      const inner = coloured ? side * 0.72 : side;
      context.globalAlpha = 0.08 + 0.92 * this.#light[i];
      if (coloured) this.#colouring.draw(context, i, x - side / 2, y - side / 2, side);
      this.#atlas.draw(context, i, x - inner / 2, y - inner / 2, inner);
    }
    context.globalAlpha = 1;
    // Of custom properties that depend on the theme, only the use as a colour is resolved.
    const { color: ink, outlineColor: paper } = getComputedStyle($('here'));
    const way = this.#line ?? this.#walked;
    if (way) this.#drawLine(way, ink, paper);
    for (const [x, y] of this.#stops) this.#drawDot(toX(x), toY(y), ink, paper);
    for (const [x, y] of this.#pins) this.#drawPin(toX(x), toY(y), ink, paper);
  }

  #drawLine(points, ink, paper) {
    const context = this.#context;
    context.lineJoin = context.lineCap = 'round';
    for (const [width, colour] of [[6, paper], [3, ink]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      for (const [i, [x, y]] of points.entries()) context[i === 0 ? 'moveTo' : 'lineTo'](this.#camera.x(x), this.#camera.y(y));
      if (this.mode === 'lasso' && this.#line) context.closePath();
      context.stroke();
    }
  }

  /** A stop of the journey. */
  #drawDot(x, y, ink, paper) {
    const context = this.#context;
    context.beginPath();
    context.arc(x, y, 5, 0, 7);
    context.fillStyle = ink;
    context.strokeStyle = paper;
    context.lineWidth = 2;
    context.fill();
    context.stroke();
  }

  #drawPin(x, y, ink, paper) {
    const context = this.#context;
    context.beginPath();
    context.moveTo(x, y);
    context.arc(x, y - 20, 9, Math.PI * 0.85, Math.PI * 0.15);
    context.closePath();
    context.fillStyle = ink;
    context.strokeStyle = paper;
    context.lineWidth = 2.5;
    context.fill();
    context.stroke();
  }

  #place(settled) {
    this.#goal = this.#map.positionOf(this.#state.latent);
    this.#here ??= this.#goal;
    this.#wake();
    if (settled) this.#showNeighbours();
  }

  #moveMarker() {
    if (!this.#goal) return false;
    const far = Math.hypot(this.#goal[0] - this.#here[0], this.#goal[1] - this.#here[1]);
    this.#here = far < 5e-4 ? this.#goal : this.#here.map((value, i) => value + (this.#goal[i] - value) * 0.22);
    const marker = $('here');
    marker.hidden = false;
    marker.style.setProperty('transform', `translate(${this.#camera.x(this.#here[0])}px, ${this.#camera.y(this.#here[1])}px)`);
    return far >= 5e-4;
  }

  #showNeighbours() {
    if (!this.#state.base) return;
    const near = this.#map.nearest(this.#state.latent, NEIGHBOURS);
    $('neighbours').replaceChildren(...near.map(({ point }) => {
      const canvas = make('canvas', { width: THUMB, height: THUMB, className: 'pixels' });
      this.#atlas.draw(canvas.getContext('2d'), point, 0, 0, THUMB);
      const label = this.#map.label(point);
      return make('button', {
        type: 'button', className: 'cap', ariaLabel: `Neighbour ${point}${label === null ? '' : `, ${this.#model.labels[label]}`}`,
        onclick: () => this.#app.stage.morphTo(pointOf(this.#map, point)),
      }, canvas);
    }));
  }

  #bind() {
    $('search').oninput = () => this.highlight(this.#colouring.search($('search').value), 0);
    $('closer').onclick = () => this.#camera.zoomBy(1.6);
    $('farther').onclick = () => this.#camera.zoomBy(1 / 1.6);
    new Gestures($('map'), this.#camera, {
      hover: pixels => { if (this.mode === 'walk') this.#moveLens(pixels); },
      leave: () => { $('lens').hidden = true; },
      draw: line => this.#drawing(line),
      drawn: line => this.#drawn(line),
      click: place => this.#goTo(...place),
      step: direction => this.#step(direction),
    });
  }

  #drawing(line) {
    this.#line = line;
    this.redraw();
    const { latent, distance } = this.#map.latentAt(...line.at(-1));
    if (this.mode === 'walk' && distance < FAR) this.#app.stage.show(latent);
  }

  #drawn(line) {
    this.#line = null;
    if (line && this.mode === 'lasso') {
      this.onlasso?.(this.#map.inside(line));
    } else if (line) {
      this.onwalk?.(resample(line, STOPS).map(place => this.#placeAt(...place)));
      this.#walked = line;
    }
    this.redraw();
  }

  #placeAt(x, y) {
    const { latent, point } = this.#map.latentAt(x, y);
    return point === undefined ? this.#state.placeOf(latent) : pointOf(this.#map, point);
  }

  #goTo(x, y) {
    const [{ point, distance }] = this.#map.nearestAt(x, y, 1);
    const apart = Math.sqrt(distance);
    if (apart > FAR) return;
    this.#app.stage.morphTo(apart < SIZE * 0.45 ? pointOf(this.#map, point) : this.#placeAt(x, y), 450);
  }

  /** To the nearest image in a direction. */
  #step(direction) {
    const point = this.#goal && this.#map.nextTo(this.#goal, direction);
    if (point !== null) this.#app.stage.morphTo(pointOf(this.#map, point), 200);
  }

  #moveLens([px, py]) {
    const { latent, distance } = this.#map.latentAt(...this.#camera.placeAt([px, py]));
    const lens = $('lens');
    lens.hidden = distance > LENS || this.#model.decoder.where !== 'device';
    if (lens.hidden) return;
    const y = py < 140 ? py + 152 : py;
    lens.style.setProperty('transform', `translate(${Math.max(60, Math.min(this.#camera.width - 60, px))}px, ${y}px)`);
    this.showLens(latent);
  }

  async #paintLens(latent) {
    const canvas = $('lens').firstElementChild ?? $('lens').appendChild(makePicture(this.#model.image));
    paint(canvas, (await this.#model.decoder.decode(latent, this.#state.label)).rgba);
  }
}
