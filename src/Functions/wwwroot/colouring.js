// The map coloured by label or attribute, with its legend, and searched by label.
import { $, make } from './pictures.js';
import { wordsOf } from './stage.js';

const SWATCH = 32, SHADES = 24, NAMED = 16;

export class Colouring {
  /** The colour of each point, as the number of a swatch; null where images are as they are. */
  numbers = null;
  #map;
  #labels;
  #swatches = null;
  #changed;

  constructor(map, labels, changed) {
    [this.#map, this.#labels, this.#changed] = [map, labels, changed];
    const choice = $('colour-by');
    const isLabelled = map.labels && labels.length > 1;
    if (isLabelled) choice.append(make('option', { value: 'label', textContent: 'label' }));
    map.attributeRanges.forEach(({ name }, i) => choice.append(make('option', { value: i, textContent: wordsOf(name) })));
    $('colour-tool').hidden = choice.options.length === 1;
    choice.onchange = () => this.#colourBy(choice.value);
    $('search-tool').hidden = !isLabelled;
    $('known-labels').replaceChildren(...labels.map(value => make('option', { value })));
  }

  /** Draws the disc that lies behind a thumbnail. */
  draw(context, point, x, y, side) {
    context.drawImage(this.#swatches, this.numbers[point] * SWATCH, 0, SWATCH, SWATCH, x, y, side, side);
  }

  /** The points whose label has a text in it; null for no text. */
  search(text) {
    const wanted = text.trim().toLowerCase();
    const matches = this.#labels.map(name => name.toLowerCase().includes(wanted));
    const found = wanted === '' ? null
      : Array.from({ length: this.#map.count }, (_, point) => point).filter(point => matches[this.#map.label(point)]);
    $('found').value = found ? `${found.length} of ${this.#map.count}` : '';
    return found;
  }

  #colourBy(what) {
    const byLabel = what === 'label';
    const colours = byLabel ? palette(this.#labels.length) : ramp(SHADES);
    const canvas = make('canvas', { width: colours.length * SWATCH, height: SWATCH });
    const context = canvas.getContext('2d');
    colours.forEach((colour, i) => {
      context.fillStyle = colour;
      context.beginPath();
      context.arc((i + 0.5) * SWATCH, SWATCH / 2, SWATCH / 2, 0, 7);
      context.fill();
    });
    this.#swatches = canvas;
    this.numbers = what === '' ? null : Uint16Array.from({ length: this.#map.count }, (_, point) => byLabel
      ? this.#map.label(point) : Math.round(this.#map.attribute(point, Number(what)) * (SHADES - 1)));
    const legend = $('legend');
    legend.hidden = what === '';
    legend.classList.toggle('range', !byLabel);
    if (byLabel) this.#showNames(legend, colours);
    else if (what !== '') showRange(legend, this.#map.attributeRanges[Number(what)], colours);
    this.#changed();
  }

  #showNames(legend, colours) {
    const names = this.#labels.slice(0, NAMED).map((name, i) => make('span', {}, swatch(colours[i]), name));
    legend.replaceChildren(...names, ...this.#labels.length > NAMED ? ['…'] : []);
  }
}

function showRange(legend, { low, high }, colours) {
  const number = value => make('span', { textContent: Number(value.toFixed(2)).toString() });
  legend.replaceChildren(number(low), swatch(`linear-gradient(90deg, ${colours.join()})`), number(high));
}

function swatch(colour) {
  const element = make('i', { className: 'swatch' });
  element.style.setProperty('background', colour);
  return element;
}

/** Hues by the golden angle, so that any number of them lie apart; lightness alternates. */
const palette = count => Array.from({ length: Math.max(1, count) }, (_, i) => `hsl(${(i * 137.5 + 8) % 360} 72% ${[52, 66, 42][i % 3]}%)`);

/** From deep blue through green to yellow, as even to the eye as viridis. */
const ramp = count => Array.from({ length: count }, (_, i) => {
  const t = i / (count - 1);
  return `oklch(${0.32 + 0.56 * t} ${0.11 + 0.06 * t} ${290 - 190 * t})`;
});
