// The latents one by one, those that carry most first, each with what it does to the picture.
import { join } from './latents.js';
import { afterPause, newestWins, stopMotion } from './motion.js';
import { $, make, makePicture, paint, slice } from './pictures.js';
import { signed } from './stage.js';

/** A latent whose posterior mean varies by no more is not in use. (Burda et al. 2016, §5.1) */
const ACTIVE = 0.01;
const STOPS = [-2, -1, 0, 1, 2], MOST = 3, SHOWN = 24, MOST_LATENTS = 512;

export class Units {
  #app;
  #rows = [];

  constructor(app, map) {
    this.#app = app;
    this.paint = afterPause(150, newestWins(() => this.#paintTraversals(), fault => app.fail(fault)));
    if (map?.codes) {
      $('latents-about').textContent = `This model has no single latents to move: an image is a grid of ${map.places} codes, each one of `
        + `${map.codebook.length / (app.model.size / map.places)} vectors. Journeys, concepts and the map work on them as on any other.`;
      return;
    }
    if (app.model.size > MOST_LATENTS) {
      $('latents-about').textContent = `This model has ${app.model.size} latents, too many to show one by one.`;
      return;
    }
    this.#make(map);
    app.state.addEventListener('change', ({ detail }) => this.#changed(detail.settled));
    addEventListener('tab', ({ detail }) => { if (detail === 'latents') this.paint(); });
    $('dead').ontoggle = () => this.paint();
  }

  #make(map) {
    const { size } = this.#app.model;
    const units = Array.from({ length: size }, (_, i) => ({ i, kl: map?.klPerLatent[i] ?? null, ...spreadOf(map, i, size) }))
      .sort((left, right) => (right.kl ?? right.variance) - (left.kl ?? left.variance));
    const alive = units.filter(({ variance }) => !map || variance > ACTIVE);
    const dead = units.filter(unit => !alive.includes(unit));
    const most = Math.max(...units.map(({ kl, variance }) => kl ?? variance), 1e-9);
    this.#rows = [...alive, ...dead].map(unit => this.#makeRow(unit, (unit.kl ?? unit.variance) / most));
    const elements = this.#rows.map(({ row }) => row);
    $('latents').replaceChildren(...elements.slice(0, alive.length));
    $('dead-latents').replaceChildren(...elements.slice(alive.length));
    $('dead').hidden = dead.length === 0;
    $('dead-summary').textContent = `${dead.length} that the model does not use`;
    $('latents-about').textContent = `${alive.length} of ${size} latents carry something; those that carry most are first. `
      + 'The five pictures show what each does, from −2 to 2 standard deviations.';
  }

  #makeRow(unit, share) {
    const { state, model } = this.#app;
    const id = `latent-${unit.i}`;
    const input = make('input', { type: 'range', id, min: -MOST, max: MOST, step: 0.05, value: 0 });
    const output = make('output', { htmlFor: id });
    const label = make('label', { htmlFor: id, textContent: `Latent ${unit.i}` });
    const bar = make('i', { className: 'bar', title: unit.kl === null ? '' : `${unit.kl.toFixed(2)} nats` });
    bar.style.setProperty('--share', `${Math.max(1, share * 100)}%`);
    const pictures = STOPS.map(() => makePicture(model.image));
    const buttons = pictures.map((canvas, k) => make('button', {
      type: 'button', className: 'cap', tabIndex: -1, ariaLabel: `Latent ${unit.i} at ${STOPS[k]} deviations`,
      onclick: () => state.setOffset(unit.i, this.#offsetTo(unit, STOPS[k]), true),
    }, canvas));
    const row = make('div', { className: 'unit' }, make('div', { className: 'slider-head' }, label, bar, output), input,
      make('div', { className: 'traversal' }, ...buttons));
    input.oninput = () => {
      stopMotion();
      state.setOffset(unit.i, this.#offsetTo(unit, Number(input.value)), false);
    };
    input.onchange = () => state.setOffset(unit.i, this.#offsetTo(unit, Number(input.value)), true);
    return { row, input, output, pictures, unit };
  }

  /** What has to be added for a latent to lie so many deviations from its mean. */
  #offsetTo({ i, mean, deviation }, steps) {
    const { state } = this.#app;
    const without = state.latent[i] - (state.offsets.get(i) ?? 0);
    return Math.round((mean + steps * deviation - without) * 1000) / 1000;
  }

  #changed(settled) {
    const { latent, offsets } = this.#app.state;
    for (const { input, output, unit, row } of this.#rows) {
      const steps = (latent[unit.i] - unit.mean) / unit.deviation;
      if (document.activeElement !== input || settled) input.value = steps;
      row.classList.toggle('on', offsets.has(unit.i));
      output.value = signed(steps);
    }
    if (settled) this.paint();
  }

  async #paintTraversals() {
    const { state, model } = this.#app;
    if (document.body.dataset.tab !== 'latents' || !state.base || model.decoder.where !== 'device') return;
    const rows = this.#rows.filter(({ row }) => row.checkVisibility()).slice(0, $('dead').open ? undefined : Math.max(SHOWN, 64));
    const now = state.latent;
    const wanted = rows.flatMap(({ unit: { i, mean, deviation } }) => STOPS.map(steps => {
      const latent = now.slice();
      latent[i] = mean + steps * deviation;
      return latent;
    }));
    const { rgba } = await model.decoder.decode(join(wanted), state.label);
    rows.forEach(({ pictures }, r) => pictures.forEach((canvas, k) => paint(canvas, slice(rgba, model.image, r * STOPS.length + k))));
  }
}

/** Mean and deviation of a latent over the map; those of the prior where there is none, or where nothing varies. */
function spreadOf(map, i, size) {
  if (!map) return { mean: 0, deviation: 1, variance: 1 };
  let [sum, squares] = [0, 0];
  for (let at = i; at < map.latents.length; at += size) {
    sum += map.latents[at];
    squares += map.latents[at] ** 2;
  }
  const mean = sum / map.count;
  const variance = squares / map.count - mean ** 2;
  return { mean, variance, deviation: variance > ACTIVE ? Math.sqrt(variance) : 1 };
}
