// The map: training images as thumbnails, decoded from their latents. Drawn only while something moves.
import { add, mean, norm } from './latents.js';
import { newestWins } from './motion.js';
import { $, make, makePicture, paint, slice } from './pictures.js';
import { palette, ramp } from './colours.js';
import { pointOf, wordsOf } from './stage.js';

const THUMB = 32, COLUMNS = 50, AT_ONCE = 50, SIZE = 0.0425, FAR = 0.12, MOST_ZOOM = 9, NEIGHBOURS = 8;

export class LatentMapView {
  #model; #state; #app; #map;
  #canvas = $('map');
  #context = this.#canvas.getContext('2d');
  #atlas = new OffscreenCanvas(COLUMNS * THUMB, THUMB);
  #swatches = null;
  #view = { x: 0, y: 0, zoom: 1 };
  #width = 1; #height = 1; #scale = 1; #ratio = 1;
  #light; #aim; #colouring = null;
  #awake = false; #dirty = true;
  #here = null; #goal = null;
  #pointers = new Map(); #press = null; #pinch = null; #line = null;
  #pins = [];
  #stops = [];
  #walked = null;

  /** How drags are taken: 'walk' or 'lasso'. */
  mode = 'walk';
  onlasso = null;
  onwalk = null;

  constructor(app, map) {
    [this.#app, this.#model, this.#state, this.#map] = [app, app.model, app.state, map];
    this.#light = new Float32Array(map.count).fill(1);
    this.#aim = this.#light.slice();
    this.#atlas.height = Math.ceil(map.count / COLUMNS) * THUMB;
    this.#paintDots();
    this.showLens = newestWins(latent => this.#paintLens(latent));
    this.#bindPointers();
    this.#bindKeys();
    this.#bindTools();
    this.#state.addEventListener('change', ({ detail }) => this.#place(detail.settled));
    this.#state.addEventListener('stops', () => {
      this.#walked = null;
      this.#stops = this.#state.stops.map(stop => this.#positionOf(stop.latent));
      this.#touch();
    });
    new ResizeObserver(() => this.#resize()).observe(this.#canvas.parentElement);
    this.#resize();
    performance.mark('map');
  }

  redraw() {
    this.#touch();
  }

  /** Decodes the thumbnails, a row at a time, when the stage has its picture. */
  async decodeThumbnails() {
    for (let first = 0; first < this.#map.count; first += AT_ONCE) {
      const points = Array.from({ length: Math.min(AT_ONCE, this.#map.count - first) }, (_, i) => first + i);
      const all = new Float32Array(points.length * this.#model.size);
      points.forEach((point, i) => all.set(this.#map.latent(point), i * this.#model.size));
      const labels = this.#model.conditional ? points.map(point => this.#map.label(point) ?? 0) : null;
      const { rgba } = await this.#model.decoder.decode(all, labels);
      points.forEach((point, i) => this.#paintThumbnail(point, slice(rgba, this.#model.image, i)));
      this.#touch();
      this.#showNeighbours();
      await new Promise(resolve => setTimeout(resolve)); // sliders come first
    }
    performance.mark('thumbnails');
  }

  /** Lights up where a concept is strong; null lights everything. */
  spotlight(concept) {
    this.#wake();
    if (!concept) {
      this.#aim.fill(1);
      return;
    }
    concept.light ??= this.#lightOf(concept);
    this.#aim.set(concept.light);
  }

  /** A pin where a picture lies. */
  pin(latent, name) {
    this.#pins = [...this.#pins, { position: this.#positionOf(latent), name }].slice(-12);
    this.#touch();
  }

  latentAt(x, y) {
    const near = this.#nearest(x, y, 4);
    const weights = near.map(({ distance }) => 1 / (distance + 2e-6) ** 1.6);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (this.#map.codes) return { latent: this.#map.latent(near[0].point), point: near[0].point, distance: Math.sqrt(near[0].distance) };
    let latent = new Float32Array(this.#model.size);
    let far = 0;
    near.forEach(({ point }, i) => {
      const neighbour = this.#map.latent(point);
      far += weights[i] / sum * norm(neighbour);
      latent = add(latent, weights[i] / sum, neighbour);
    });
    const factor = far / (norm(latent) || 1); // as far out as the neighbours are
    return { latent: latent.map(value => value * factor), distance: Math.sqrt(near[0].distance) };
  }

  // --- drawing

  #x = x => this.#width / 2 + (x - this.#view.x) * this.#scale * this.#view.zoom;
  #y = y => this.#height / 2 + (y - this.#view.y) * this.#scale * this.#view.zoom;
  #fromX = x => (x - this.#width / 2) / (this.#scale * this.#view.zoom) + this.#view.x;
  #fromY = y => (y - this.#height / 2) / (this.#scale * this.#view.zoom) + this.#view.y;

  #resize() {
    const { width, height } = this.#canvas.parentElement.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    this.#ratio = Math.min(2, devicePixelRatio || 1);
    [this.#width, this.#height] = [width, height];
    Object.assign(this.#canvas, { width: width * this.#ratio, height: height * this.#ratio });
    this.#scale = Math.min(width - 40, height - 56) / 2;
    this.#touch();
  }

  #touch() {
    this.#dirty = true;
    this.#wake();
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
    const context = this.#context;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    const size = Math.max(5, SIZE * this.#scale * this.#view.zoom);
    for (let i = 0; i < this.#map.count; i++) {
      const [x, y] = [this.#x(this.#map.positions[2 * i]), this.#y(this.#map.positions[2 * i + 1])];
      if (x < -size || y < -size || x > this.#width + size || y > this.#height + size) continue;
      const light = this.#light[i];
      const side = size * (0.6 + 0.4 * light);
      context.globalAlpha = 0.08 + 0.92 * light;
      const inset = this.#colouring ? 0.72 : 1;
      if (this.#colouring) context.drawImage(this.#swatches, this.#colouring[i] * THUMB, 0, THUMB, THUMB, x - side / 2, y - side / 2, side, side);
      context.drawImage(this.#atlas, i % COLUMNS * THUMB, Math.floor(i / COLUMNS) * THUMB, THUMB, THUMB,
        x - side * inset / 2, y - side * inset / 2, side * inset, side * inset);
    }
    context.globalAlpha = 1;
    // Of custom properties that depend on the theme, only the use as a colour is resolved.
    const { color: ink, outlineColor: paper } = getComputedStyle($('here'));
    const way = this.#line ?? this.#walked;
    if (way) this.#drawLine(way, ink, paper);
    for (const [x, y] of this.#stops) this.#drawDot(this.#x(x), this.#y(y), ink, paper);
    for (const { position: [x, y] } of this.#pins) this.#drawPin(this.#x(x), this.#y(y), ink, paper);
  }

  #drawLine(points, ink, paper) {
    const context = this.#context;
    context.lineJoin = context.lineCap = 'round';
    for (const [width, colour] of [[6, paper], [3, ink]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      for (const [i, [x, y]] of points.entries()) context[i === 0 ? 'moveTo' : 'lineTo'](this.#x(x), this.#y(y));
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

  /** Before a thumbnail is decoded, its mean colour stands for it. */
  #paintDots() {
    const context = this.#atlas.getContext('2d');
    for (let i = 0; i < this.#map.count; i++) {
      const [red, green, blue] = this.#map.colours.subarray(3 * i, 3 * i + 3);
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.beginPath();
      context.arc((i % COLUMNS + 0.5) * THUMB, (Math.floor(i / COLUMNS) + 0.5) * THUMB, THUMB * 0.36, 0, 7);
      context.fill();
    }
  }

  #scratch = null;

  /** Rounded corners are cut once, here, and not in every frame. */
  #paintThumbnail(point, rgba) {
    const { width, height } = this.#model.image;
    this.#scratch ??= { whole: new OffscreenCanvas(width, height), cell: new OffscreenCanvas(THUMB, THUMB) };
    const { whole, cell } = this.#scratch;
    whole.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
    const context = cell.getContext('2d');
    const scale = THUMB / Math.max(width, height);
    const [wide, high] = [width * scale, height * scale];
    context.globalCompositeOperation = 'copy';
    context.imageSmoothingEnabled = width > THUMB || height > THUMB;
    context.imageSmoothingQuality = 'high';
    context.drawImage(whole, (THUMB - wide) / 2, (THUMB - high) / 2, wide, high);
    context.globalCompositeOperation = 'destination-in';
    context.beginPath();
    context.roundRect((THUMB - wide) / 2, (THUMB - high) / 2, wide, high, THUMB * 0.28);
    context.fill();
    const atlas = this.#atlas.getContext('2d');
    const [x, y] = [point % COLUMNS * THUMB, Math.floor(point / COLUMNS) * THUMB];
    atlas.clearRect(x, y, THUMB, THUMB);
    atlas.drawImage(cell, x, y);
  }

  // --- where the stage is

  #place(settled) {
    this.#goal = this.#positionOf(this.#state.latent);
    this.#here ??= this.#goal;
    this.#wake();
    if (settled) this.#showNeighbours();
  }

  #positionOf(latent) {
    const near = this.#map.nearest(latent, 3);
    const weights = near.map(({ distance }) => 1 / (distance + 0.01) ** 2);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return [0, 1].map(axis => near.reduce((at, { point }, i) => at + weights[i] / sum * this.#map.positions[2 * point + axis], 0));
  }

  #moveMarker() {
    if (!this.#goal) return false;
    const far = Math.hypot(this.#goal[0] - this.#here[0], this.#goal[1] - this.#here[1]);
    this.#here = far < 5e-4 ? this.#goal : this.#here.map((value, i) => value + (this.#goal[i] - value) * 0.22);
    const marker = $('here');
    marker.hidden = false;
    marker.style.setProperty('transform', `translate(${this.#x(this.#here[0])}px, ${this.#y(this.#here[1])}px)`);
    return far >= 5e-4;
  }

  #showNeighbours() {
    if (!this.#state.base) return;
    const near = this.#map.nearest(this.#state.latent, NEIGHBOURS);
    $('neighbours').replaceChildren(...near.map(({ point }) => {
      const canvas = make('canvas', { width: THUMB, height: THUMB, className: 'pixels' });
      canvas.getContext('2d').drawImage(this.#atlas, point % COLUMNS * THUMB, Math.floor(point / COLUMNS) * THUMB, THUMB, THUMB, 0, 0, THUMB, THUMB);
      const label = this.#map.label(point);
      return make('button', {
        type: 'button', className: 'cap', ariaLabel: `Neighbour ${point}${label === null ? '' : `, ${this.#model.labels[label]}`}`,
        onclick: () => this.#app.stage.morphTo(pointOf(this.#map, point)),
      }, canvas);
    }));
  }

  // --- colours, search, groups

  #bindTools() {
    const colours = $('colour-by');
    const { labels } = this.#model;
    if (this.#map.labels && labels.length > 1) colours.append(make('option', { value: 'label', textContent: 'label' }));
    this.#map.attributeRanges.forEach(({ name }, i) => colours.append(make('option', { value: i, textContent: wordsOf(name) })));
    $('colour-tool').hidden = colours.options.length === 1;
    colours.onchange = () => this.#colourBy(colours.value);
    $('search-tool').hidden = !this.#map.labels || labels.length < 2;
    $('known-labels').replaceChildren(...labels.map(value => make('option', { value })));
    $('search').oninput = () => this.#search($('search').value.trim().toLowerCase());
    $('closer').onclick = () => this.#zoomBy(1.6);
    $('farther').onclick = () => this.#zoomBy(1 / 1.6);
  }

  #colourBy(what) {
    const [labels, canvas] = [this.#model.labels, document.createElement('canvas')];
    const byLabel = what === 'label';
    const colours = byLabel ? palette(labels.length) : ramp(24);
    Object.assign(canvas, { width: colours.length * THUMB, height: THUMB });
    const context = canvas.getContext('2d');
    colours.forEach((colour, i) => {
      context.fillStyle = colour;
      context.beginPath();
      context.arc((i + 0.5) * THUMB, THUMB / 2, THUMB / 2, 0, 7);
      context.fill();
    });
    this.#swatches = canvas;
    this.#colouring = what === '' ? null : Uint16Array.from({ length: this.#map.count }, (_, point) => byLabel
      ? this.#map.label(point) : Math.round(this.#map.attribute(point, Number(what)) * (colours.length - 1)));
    this.#showLegend(what === '' ? null : byLabel ? labels : this.#map.attributeRanges[Number(what)], colours);
    this.#touch();
  }

  #showLegend(what, colours) {
    const swatch = colour => {
      const element = make('i', { className: 'swatch' });
      element.style.setProperty('background', colour);
      return element;
    };
    $('legend').hidden = !what;
    if (Array.isArray(what))
      $('legend').replaceChildren(...what.slice(0, 16).map((name, i) => make('span', {}, swatch(colours[i]), name)), ...what.length > 16 ? ['…'] : []);
    else if (what)
      $('legend').replaceChildren(make('span', { textContent: number(what.low) }), swatch(`linear-gradient(90deg, ${colours.join()})`),
        make('span', { textContent: number(what.high) }));
    $('legend').classList.toggle('range', Boolean(what) && !Array.isArray(what));
  }

  #search(text) {
    const matches = this.#model.labels.map(name => name.toLowerCase().includes(text));
    let count = 0;
    for (let i = 0; i < this.#map.count; i++) {
      const found = text === '' || matches[this.#map.label(i)];
      this.#aim[i] = found ? 1 : 0;
      if (found) count++;
    }
    $('found').value = text === '' ? '' : `${count} of ${this.#map.count}`;
    this.#wake();
  }

  /** The points inside a drawn line. */
  pointsInside(line) {
    const inside = [];
    for (let i = 0; i < this.#map.count; i++) {
      const [x, y] = [this.#map.positions[2 * i], this.#map.positions[2 * i + 1]];
      let within = false;
      for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
        const [[ax, ay], [bx, by]] = [line[a], line[b]];
        if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
      }
      if (within) inside.push(i);
    }
    return inside;
  }

  /** The points that the search has found, or those nearest to the stage. */
  pointsAround(count) {
    return $('search').value.trim() === ''
      ? this.#map.nearest(this.#state.latent, count).map(({ point }) => point)
      : Array.from(this.#aim.keys()).filter(point => this.#aim[point] === 1);
  }

  /** What makes the one group of points out of the other. */
  directionOf(points, others) {
    return add(mean(points.map(point => this.#map.latent(point))), -1, mean(others.map(point => this.#map.latent(point))));
  }

  latentsOf(points, most) {
    const count = Math.min(most, points.length);
    return Array.from({ length: count }, (_, i) => [...this.#map.latent(points[Math.floor(i * points.length / count)])]);
  }

  highlight(points) {
    if (points) {
      this.#aim.fill(0.15);
      for (const point of points) this.#aim[point] = 1;
    } else {
      this.#aim.fill(1);
    }
    this.#wake();
  }

  allBut(points) {
    const taken = new Set(points);
    return Array.from({ length: this.#map.count }, (_, i) => i).filter(point => !taken.has(point));
  }

  /** Latents are scored by the plane that parts those with the concept from those without. */
  #lightOf({ plane, direction }) {
    const across = plane ?? direction;
    const scores = Float32Array.from({ length: this.#map.count }, (_, point) =>
      this.#map.latent(point).reduce((sum, value, i) => sum + value * across[i], 0));
    const sorted = scores.toSorted();
    const [low, high] = [sorted[Math.floor(sorted.length * 0.05)], sorted[Math.floor(sorted.length * 0.95)]];
    return scores.map(score => Math.min(1, Math.max(0.08, ((score - low) / (high - low || 1) - 0.45) * 6)));
  }

  // --- pointers and keys

  #nearest(x, y, count) {
    const best = [];
    for (let point = 0; point < this.#map.count; point++) {
      const distance = (this.#map.positions[2 * point] - x) ** 2 + (this.#map.positions[2 * point + 1] - y) ** 2;
      if (best.length === count && distance >= best[count - 1].distance) continue;
      best.push({ point, distance });
      best.sort((left, right) => left.distance - right.distance);
      best.length = Math.min(count, best.length);
    }
    return best;
  }

  #bindPointers() {
    const canvas = this.#canvas;
    canvas.addEventListener('wheel', event => {
      event.preventDefault();
      this.#zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), ...placeIn(canvas, event));
    }, { passive: false });
    canvas.onpointerdown = event => {
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, placeIn(canvas, event));
      this.#press = this.#pointers.size === 1 ? { at: placeIn(canvas, event), pan: event.button === 1 || event.shiftKey } : null;
      if (this.#press) this.#moveLens(this.#press.at);
      else $('lens').hidden = true;
      this.#line = this.#pinch = null;
    };
    canvas.onpointermove = event => this.#pointerMoved(event);
    canvas.onpointerup = canvas.onpointercancel = event => this.#pointerUp(event);
    canvas.onpointerleave = () => { $('lens').hidden = true; };
  }

  #pointerMoved(event) {
    const at = placeIn(this.#canvas, event);
    const before = this.#pointers.get(event.pointerId);
    if (before) this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size === 2) {
      this.#pinchTo([...this.#pointers.values()]);
    } else if (this.#press?.pan) {
      this.#panBy(at[0] - before[0], at[1] - before[1]);
    } else {
      if (this.mode === 'walk') this.#moveLens(at);
      if (this.#press && Math.hypot(at[0] - this.#press.at[0], at[1] - this.#press.at[1]) > 14) this.#drawTo(at);
    }
  }

  #drawTo(at) {
    const point = [this.#fromX(at[0]), this.#fromY(at[1])];
    this.#line ??= [[this.#fromX(this.#press.at[0]), this.#fromY(this.#press.at[1])]];
    const [x, y] = this.#line.at(-1);
    if (Math.hypot(x - point[0], y - point[1]) < 0.012) return;
    this.#line.push(point);
    this.#touch();
    const { latent, distance } = this.latentAt(...point);
    if (this.mode === 'walk' && distance < FAR) this.#app.stage.show(latent);
  }

  #pointerUp(event) {
    const fingers = this.#pointers.size;
    this.#pointers.delete(event.pointerId);
    const [press, line] = [this.#press, this.#line];
    this.#press = this.#line = this.#pinch = null;
    if (event.pointerType !== 'mouse') $('lens').hidden = true;
    this.#touch();
    if (fingers > 1 || !press || press.pan || event.type !== 'pointerup') return;
    if (line && line.length > 2) {
      if (this.mode === 'lasso') this.onlasso?.(this.pointsInside(line));
      else this.#walk(line);
    } else {
      this.#goTo(this.#fromX(press.at[0]), this.#fromY(press.at[1]), 450);
    }
  }

  #walk(line) {
    this.onwalk?.(resample(line, 7).map(place => this.#placeAt(...place)));
    this.#walked = line;
    this.#touch();
  }

  #placeAt(x, y) {
    const { latent, point } = this.latentAt(x, y);
    return point === undefined ? this.#state.placeOf(latent) : pointOf(this.#map, point);
  }

  #goTo(x, y, milliseconds) {
    if (this.latentAt(x, y).distance > FAR) return;
    const [{ point, distance }] = this.#nearest(x, y, 1);
    const onThumbnail = Math.sqrt(distance) < SIZE * 0.45;
    this.#app.stage.morphTo(onThumbnail ? pointOf(this.#map, point) : this.#placeAt(x, y), milliseconds);
  }

  #moveLens([px, py]) {
    const { latent, distance } = this.latentAt(this.#fromX(px), this.#fromY(py));
    const lens = $('lens');
    lens.hidden = distance > 0.09 || this.#model.decoder.where !== 'device';
    if (lens.hidden) return;
    const y = py < 140 ? py + 152 : py;
    lens.style.setProperty('transform', `translate(${Math.max(60, Math.min(this.#width - 60, px))}px, ${y}px)`);
    this.showLens(latent);
  }

  async #paintLens(latent) {
    const canvas = $('lens').firstElementChild ?? $('lens').appendChild(makePicture(this.#model.image));
    paint(canvas, (await this.#model.decoder.decode(latent, this.#state.label)).rgba);
  }

  #pinchTo([first, second]) {
    const now = {
      x: (first[0] + second[0]) / 2, y: (first[1] + second[1]) / 2, apart: Math.hypot(first[0] - second[0], first[1] - second[1]),
    };
    if (this.#pinch) {
      this.#panBy(now.x - this.#pinch.x, now.y - this.#pinch.y);
      this.#zoomBy(now.apart / this.#pinch.apart, now.x, now.y);
    }
    this.#pinch = now;
  }

  #panBy(x, y) {
    this.#view.x -= x / (this.#scale * this.#view.zoom);
    this.#view.y -= y / (this.#scale * this.#view.zoom);
    this.#clamp();
  }

  #zoomBy(factor, px = this.#width / 2, py = this.#height / 2) {
    const [x, y] = [this.#fromX(px), this.#fromY(py)];
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.#view.zoom * factor));
    this.#view = { zoom, x: x - (px - this.#width / 2) / (this.#scale * zoom), y: y - (py - this.#height / 2) / (this.#scale * zoom) };
    this.#clamp();
  }

  #clamp() {
    const most = 1 - 1 / this.#view.zoom;
    this.#view.x = Math.max(-most, Math.min(most, this.#view.x));
    this.#view.y = Math.max(-most, Math.min(most, this.#view.y));
    this.#touch();
  }

  #bindKeys() {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.#canvas.onkeydown = event => {
      const step = steps[event.key];
      if (event.key === '+' || event.key === '=') this.#zoomBy(1.6);
      else if (event.key === '-') this.#zoomBy(1 / 1.6);
      else if (step && event.shiftKey) this.#panBy(-step[0] * 60, -step[1] * 60);
      else if (step && this.#goal) this.#stepBy(step);
      else return;
      event.preventDefault();
    };
  }

  /** To the nearest image in a direction; the blend of several may lie where it was before. */
  #stepBy([dx, dy]) {
    const [x, y] = this.#goal;
    let best = null;
    for (let point = 0; point < this.#map.count; point++) {
      const [px, py] = [this.#map.positions[2 * point] - x, this.#map.positions[2 * point + 1] - y];
      const [along, across] = [px * dx + py * dy, Math.abs(px * dy - py * dx)];
      if (along < 0.02 || across > along) continue;
      const cost = along + 2 * across;
      if (!best || cost < best.cost) best = { point, cost };
    }
    if (best) this.#app.stage.morphTo(pointOf(this.#map, best.point), 200);
  }
}

const number = value => Number(value.toFixed(2)).toString();

function placeIn(canvas, event) {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}

/** Points on a line at equal distances along it. */
function resample(line, count) {
  const along = [0];
  for (let i = 1; i < line.length; i++) along.push(along[i - 1] + Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]));
  return Array.from({ length: count }, (_, k) => {
    const wanted = along.at(-1) * k / (count - 1);
    let i = 1;
    while (i < line.length - 1 && along[i] < wanted) i++;
    const t = (wanted - along[i - 1]) / (along[i] - along[i - 1] || 1);
    return [line[i - 1][0] + t * (line[i][0] - line[i - 1][0]), line[i - 1][1] + t * (line[i][1] - line[i - 1][1])];
  });
}
