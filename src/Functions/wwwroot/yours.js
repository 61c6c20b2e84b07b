// A picture from outside: what the model makes of it, how strange it is, and a brush to paint holes with.
import { $, errorOf, makePicture, overlayOf, paint, percentileOf, readImage } from './pictures.js';
import { Problem } from './source.js';

/** As many test images as a verdict takes. */
const ENOUGH = 100;

const ITERATIONS = 30;
const VERDICTS = [[0.95, 'ordinary'], [0.99, 'unusual'], [Infinity, 'anomalous']];

export class YourPicture {
  #app;
  #model;
  #views;

  constructor(app) {
    [this.#app, this.#model] = [app, app.model];
    this.#views = Object.fromEntries([['original', 'Your picture'], ['again', 'Its reconstruction'], ['overlay', 'Where they differ']]
      .map(([name, label]) => [name, makePicture(this.#model.image, label)]));
    for (const [name, canvas] of Object.entries(this.#views)) $(`${name}-slot`).replaceChildren(canvas);
    this.brush = new Brush(app);
    this.#bind();
  }

  #bind() {
    $('open-file').onclick = () => $('file').click();
    $('file').onchange = () => {
      if ($('file').files[0]) this.#take($('file').files[0]);
      $('file').value = '';
    };
    addEventListener('dragover', event => {
      event.preventDefault();
      document.body.classList.add('dropping');
    });
    addEventListener('dragleave', event => {
      if (!event.relatedTarget) document.body.classList.remove('dropping');
    });
    addEventListener('drop', event => {
      event.preventDefault();
      document.body.classList.remove('dropping');
      if (event.dataTransfer.files[0]) this.#take(event.dataTransfer.files[0]);
    });
    addEventListener('paste', event => {
      const file = [...event.clipboardData.files].find(({ type }) => type.startsWith('image/'));
      if (file) this.#take(file);
    });
  }

  #take(file) {
    return this.#app.doing(async () => {
      const rgba = await readImage(file, this.#model.image, this.#model.manifest.fit).catch(fault => {
        throw fault instanceof Problem ? fault : new Problem(`${file.name} is no picture that this browser can read. Try a PNG, JPEG or WebP.`);
      });
      this.#app.showTab('yours');
      await this.judge(rgba, file.name);
    });
  }

  async judge(rgba, name) {
    const { state, stage, map } = this.#app;
    const latent = await this.#model.decoder.encode(rgba, state.label);
    const { rgba: again } = await this.#model.decoder.decode(latent, state.label);
    paint(this.#views.original, rgba);
    paint(this.#views.again, again);
    paint(this.#views.overlay, overlayOf(rgba, again));
    $('judged').hidden = false;
    $('file-name').textContent = name;
    $('file-name').hidden = false;
    this.#showVerdict(errorOf(rgba, again));
    this.brush.load(rgba);
    map?.pin(latent);
    stage.morphTo(state.placeOf(latent));
  }

  #showVerdict(error) {
    const { anomaly, data } = this.#model.manifest;
    const quantiles = data.test < ENOUGH ? null : anomaly?.quantiles;
    const share = quantiles ? percentileOf(quantiles, error) : null;
    const verdict = share === null ? 'not calibrated' : VERDICTS.find(([most]) => share < most)[1];
    $('verdict').dataset.verdict = verdict;
    $('verdict').textContent = share === null ? `It differs by ${error.toPrecision(3)}. Whether that is much is not known: a verdict takes ${ENOUGH} or more test images, this version had ${data.test}.`
      : `${verdict[0].toUpperCase()}${verdict.slice(1)} by its reconstruction: worse than ${(share * 100).toFixed(share > 0.99 ? 1 : 0)} % of the test images.`;
    $('verdict').hidden = false;
    this.#app.say($('verdict').textContent);
  }
}

/** Paints a hole into a picture and has the model fill it. (Rezende, Mohamed and Wierstra 2014, appendix F) */
class Brush {
  #app;
  #image;
  #canvas;
  #rgba = null;
  #hole;
  #mended = null;
  #cursor;

  constructor(app) {
    this.#app = app;
    this.#image = app.model.image;
    this.#canvas = makePicture(this.#image);
    this.#canvas.tabIndex = 0;
    this.#canvas.setAttribute('role', 'application');
    this.#canvas.setAttribute('aria-label', 'The picture to paint a hole into. Arrow keys move, Space paints.');
    this.#canvas.classList.add('paintable');
    $('brush-slot').replaceChildren(this.#canvas);
    this.#clear();
    $('brush-stage').onclick = () => {
      if (app.stage.rgba) this.load(app.stage.rgba);
    };
    $('unpaint').onclick = () => this.#clear();
    $('mend').onclick = () => app.doing(() => this.#mend());
    $('take-mended').onclick = () => app.doing(() => this.#putOnStage());
    addEventListener('tab', ({ detail }) => {
      if (detail === 'yours' && !this.#rgba && app.stage?.rgba) this.load(app.stage.rgba);
    });
    this.#bind();
  }

  load(rgba) {
    this.#rgba = rgba.slice();
    this.#clear();
  }

  #clear() {
    this.#hole = new Uint8Array(this.#image.width * this.#image.height);
    this.#mended = null;
    this.#cursor = null;
    this.#show();
  }

  #bind() {
    const place = ({ clientX, clientY }) => {
      const { left, top, width, height } = this.#canvas.getBoundingClientRect();
      return [(clientX - left) / width * this.#image.width, (clientY - top) / height * this.#image.height];
    };
    this.#canvas.onpointerdown = event => {
      this.#canvas.setPointerCapture(event.pointerId);
      this.#paintAt(...place(event));
    };
    this.#canvas.onpointermove = event => {
      if (event.buttons) this.#paintAt(...place(event));
    };
    this.#canvas.onkeydown = event => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step && event.key !== ' ') return;
      event.preventDefault();
      const { width, height } = this.#image;
      const [x, y] = this.#cursor ?? [width / 2, height / 2];
      if (step) this.#cursor = [Math.max(0, Math.min(width - 1, x + step[0])), Math.max(0, Math.min(height - 1, y + step[1]))];
      else this.#paintAt(x, y);
      this.#show();
    };
  }

  #paintAt(x, y) {
    if (!this.#rgba) return;
    const { width, height } = this.#image;
    const radius = Number($('brush-size').value) * Math.max(width, height) / 64;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) this.#hole[row * width + column] = 1;
    this.#mended = null;
    this.#show();
  }

  #show() {
    const painted = this.#hole.some(Boolean);
    $('mend').disabled = !painted || this.#mended !== null;
    $('unpaint').disabled = !painted;
    $('take-mended').disabled = this.#mended === null;
    if (!this.#rgba) return;
    const shown = (this.#mended ?? this.#rgba).slice();
    for (let i = 0; this.#mended === null && i < this.#hole.length; i++)
      if (this.#hole[i]) shown.set((i + Math.floor(i / this.#image.width)) % 2 ? [255, 80, 96, 255] : [255, 150, 150, 255], 4 * i);
    if (this.#cursor) shown.set([80, 160, 255, 255], 4 * (Math.floor(this.#cursor[1]) * this.#image.width + Math.floor(this.#cursor[0])));
    paint(this.#canvas, shown);
  }

  /** Through the model again and again: what comes back replaces the hole, and what is known is put back each time. */
  async #mend() {
    if (this.#hole.every(Boolean)) throw new Problem('The hole covers the whole picture; leave something to go by.');
    const { model, state } = this.#app;
    let filled = this.#filledWithMean();
    for (let i = 0; i < ITERATIONS; i++) {
      const { rgba } = await model.decoder.decode(await model.decoder.encode(filled, state.label), state.label);
      const next = filled.map((value, at) => this.#hole[at >> 2] ? rgba[at] : value);
      if (next.every((value, at) => value === filled[at])) break;
      filled = next;
    }
    this.#mended = filled;
    this.#show();
    this.#app.say('It is mended.');
  }

  #filledWithMean() {
    const sums = [0, 0, 0];
    const known = this.#hole.length - this.#hole.reduce((sum, hole) => sum + hole, 0);
    this.#hole.forEach((hole, i) => { for (let c = 0; !hole && c < 3; c++) sums[c] += this.#rgba[4 * i + c] / known; });
    return this.#rgba.map((value, at) => this.#hole[at >> 2] && at % 4 < 3 ? Math.round(sums[at % 4]) : value);
  }

  async #putOnStage() {
    const { model, state, stage } = this.#app;
    const latent = await model.decoder.encode(this.#mended, state.label);
    stage.morphTo(state.placeOf(latent));
  }
}
