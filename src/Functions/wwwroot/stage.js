// The stage: one picture, large; the dice; sliders named by concept and attribute.
import { between, join } from './latents.js';
import { afterPause, animate, newestWins, stopMotion } from './motion.js';
import { $, make, makePicture, paint, slice } from './pictures.js';
import { isStatic, ask, operation } from './source.js';

const MOST = 1.5, CAP = 1.2, SHOWN = 12, LARGEST_SEED = 2 ** 31;

export class Stage {
  #model;
  #state;
  #app;
  #rows = new Map();
  #times = [];
  #told = 0;

  constructor(app) {
    [this.#app, this.#model, this.#state] = [app, app.model, app.state];
    const { width, height } = this.#model.image;
    Object.assign($('picture'), { width, height });
    $('picture').style.setProperty('aspect-ratio', `${width} / ${height}`);
    this.show = newestWins(latent => this.#show(latent), fault => app.fail(fault));
    this.caps = afterPause(150, newestWins(() => this.#paintCaps()));
    this.#state.addEventListener('change', ({ detail }) => this.#changed(detail.settled));
    this.#state.addEventListener('concepts', () => this.#makeSliders());
    this.#makeSliders();
    this.#makeLabels();
    this.#bindActions();
  }

  /** The pixels that are shown now. */
  rgba = null;

  /** Goes to a place over the pictures on the way. */
  morphTo(place, milliseconds = 600) {
    const from = this.#state.latent;
    this.#state.go(place); // remembered at once; the pictures in between are not
    animate(milliseconds, t => this.show(t < 1 ? between(from, place.latent, t) : this.#state.latent));
  }

  async #show(latent) {
    const { rgba, milliseconds } = await this.#model.decoder.decode(latent, this.#state.label);
    this.rgba = rgba;
    paint($('picture'), rgba);
    performance.mark('picture');
    this.#times.push(milliseconds);
    if (this.#times.length > 40) this.#times.shift();
    if (performance.now() - this.#told < 250) return;
    this.#told = performance.now();
    const median = [...this.#times].sort((a, b) => a - b)[this.#times.length >> 1];
    this.#app.showEngine(median);
  }

  #changed(settled) {
    this.show(this.#state.latent);
    for (const [name, row] of this.#rows) this.#showStrength(row, this.#state.strengths.get(name) ?? 0);
    for (const input of $('labels').querySelectorAll('input')) input.checked = Number(input.value) === this.#state.label;
    $('undo').disabled = !this.#state.canUndo;
    $('reset').disabled = !this.#state.isEdited;
    if (settled) {
      const { seed } = this.#state.base;
      $('picture').setAttribute('aria-label', `The picture on the stage${seed === undefined ? '' : `, from seed ${seed}`}${this.#editsInWords()}`);
      this.caps();
    }
  }

  #editsInWords() {
    const edits = [...this.#state.strengths].map(([name, value]) => `${wordsOf(name)} ${signed(value)}`);
    return edits.length > 0 ? `, with ${edits.join(', ')}` : '';
  }

  #bindActions() {
    let turns = 0;
    $('dice').onclick = async () => {
      $('dice').querySelector('svg').style.setProperty('rotate', `${++turns * 180}deg`);
      await this.#app.doing(async () => this.morphTo(await this.#drawn()));
    };
    $('undo').onclick = () => { stopMotion(); this.#state.undo(); };
    $('reset').onclick = () => { stopMotion(); this.#state.clearEdits(); };
    const temperature = $('temperature');
    temperature.oninput = () => { $('temperature-value').value = Number(temperature.value).toFixed(1); };
    temperature.onchange = () => this.#app.doing(async () => {
      if (this.#state.base.kind !== 'seed') return;
      const { seed } = this.#state.base;
      const latent = await this.#model.draw(seed, Number(temperature.value));
      this.#state.go({ kind: 'seed', seed, temperature: Number(temperature.value), latent }, { keepEdits: true });
    });
    $('temperature-row').hidden = this.#model.prior === 'none';
  }

  /** A place from the prior or, where there is none, one of the training images. */
  async #drawn() {
    if (this.#model.prior === 'none') {
      const map = await this.#model.map;
      if (map) return pointOf(map, Math.floor(Math.random() * map.count));
    }
    const [seed, temperature] = [Math.floor(Math.random() * LARGEST_SEED), Number($('temperature').value)];
    return { kind: 'seed', seed, temperature, latent: await this.#model.draw(seed, temperature) };
  }

  #makeLabels() {
    const { labels, conditional } = this.#model;
    $('labels').hidden = !conditional;
    if (!conditional) return;
    $('labels').append(make('legend', { textContent: 'Draw it as' }), ...labels.map((name, i) => {
      const input = make('input', { type: 'radio', name: 'label', value: i, checked: i === this.#state.label });
      input.onchange = () => this.#state.setLabel(i);
      return make('label', {}, input, make('span', { textContent: name }));
    }));
  }

  #makeSliders() {
    const { concepts } = this.#state;
    this.#rows = new Map(concepts.map(concept => [concept.name, this.#makeRow(concept)]));
    const rows = [...this.#rows.values()].map(({ row }) => row);
    $('sliders').replaceChildren(...rows.slice(0, SHOWN));
    $('more-sliders').replaceChildren(...rows.slice(SHOWN));
    $('more').hidden = rows.length <= SHOWN;
    $('more').ontoggle = () => this.caps();
    $('no-concepts').hidden = rows.length > 0;
    this.caps();
  }

  #makeRow(concept) {
    const id = `concept-${concept.name}`;
    const input = make('input', { type: 'range', min: -MOST, max: MOST, step: 0.05, value: 0, id });
    const output = make('output', { htmlFor: id });
    const caps = [-CAP, CAP].map(strength => makePicture(this.#model.image));
    const buttons = caps.map((canvas, end) => make('button', {
      className: 'cap', type: 'button', tabIndex: -1, ariaLabel: `${end === 0 ? 'Less' : 'More'} ${wordsOf(concept.name)}`,
      onclick: () => this.#slideTo(concept.name, end === 0 ? -CAP : CAP),
    }, canvas));
    const label = make('label', { htmlFor: id }, wordsOf(concept.name));
    const head = make('div', { className: 'slider-head' }, label, output);
    if (concept.saved || this.#state.own.includes(concept)) head.append(this.#removeButton(concept));
    const row = make('div', { className: 'slider' }, head, buttons[0], input, buttons[1]);
    input.oninput = () => {
      stopMotion();
      this.#state.setStrength(concept.name, rounded(input.value), false);
    };
    input.onchange = () => this.#state.setStrength(concept.name, rounded(input.value), true);
    input.ondblclick = () => this.#state.setStrength(concept.name, 0, true);
    row.onpointerenter = input.onfocus = () => this.#app.map?.spotlight(concept);
    row.onpointerleave = input.onblur = () => this.#app.map?.spotlight(null);
    return { row, input, output, caps, concept };
  }

  #removeButton(concept) {
    return make('button', {
      className: 'plain', type: 'button', textContent: 'Remove', ariaLabel: `Remove the concept ${wordsOf(concept.name)}`,
      onclick: () => this.#app.doing(async () => {
        if (concept.saved && !isStatic) {
          await ask(operation(this.#model.name, `concepts/${encodeURIComponent(concept.name)}`), { method: 'DELETE' });
          this.#model.concepts = this.#model.concepts.filter(other => other !== concept);
        }
        this.#state.removeOwn(concept.name);
        this.#app.say(`${wordsOf(concept.name)} is removed.`);
      }),
    });
  }

  #slideTo(name, wanted) {
    const from = this.#state.strengths.get(name) ?? 0;
    animate(350, t => this.#state.setStrength(name, rounded(from + (wanted - from) * t), t === 1));
  }

  #showStrength({ row, input, output }, value) {
    input.value = value;
    const place = 50 + value / MOST * 50;
    input.style.setProperty('--from', `${Math.min(50, place)}%`);
    input.style.setProperty('--to', `${Math.max(50, place)}%`);
    row.classList.toggle('on', value !== 0);
    output.value = value === 0 ? '' : signed(value);
  }

  /** What each slider would make of this picture. */
  async #paintCaps() {
    const rows = [...this.#rows.values()].filter(({ row }) => row.checkVisibility?.() ?? true);
    if (rows.length === 0 || !this.#state.base || this.#model.decoder.where !== 'device') return;
    const now = this.#state.latent;
    const wanted = rows.flatMap(({ concept: { name, direction } }) => [-CAP, CAP].map(strength => {
      const more = strength - (this.#state.strengths.get(name) ?? 0);
      return now.map((value, i) => value + more * direction[i]);
    }));
    const { rgba } = await this.#model.decoder.decode(join(wanted), this.#state.label);
    rows.forEach(({ caps }, i) => caps.forEach((canvas, end) => paint(canvas, slice(rgba, this.#model.image, 2 * i + end))));
  }
}

export const pointOf = (map, point) => ({ kind: 'point', point, latent: map.latent(point) });

export const wordsOf = name => name.replaceAll('_', ' ');

export const signed = value => `${value > 0.05 ? '+' : value < -0.05 ? '−' : ''}${Math.abs(value).toFixed(1)}`;

/** Hundredths; what is less than a slider's step is nothing. */
const rounded = value => Math.abs(value) < 0.05 ? 0 : Math.round(value * 100) / 100;
