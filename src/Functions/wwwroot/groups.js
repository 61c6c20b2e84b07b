// Two groups of images make a concept: what the first has and the second has not.
import { $ } from './pictures.js';
import { ask, isStatic, operation } from './source.js';
import { isConceptName } from './state.js';
import { wordsOf } from './stage.js';

const NEAREST = 60, MOST_SENT = 64, FEWEST = 3;

export class Groups {
  #app;
  #map;
  #with = null;
  #without = null;

  constructor(app, map) {
    [this.#app, this.#map] = [app, map];
    $('lasso').hidden = !map;
    if (!map) return;
    $('lasso').onclick = () => this.#toggle($('groups').hidden);
    $('cancel-groups').onclick = () => this.#toggle(false);
    $('take-group').onclick = () => this.#take(this.#with ? null : app.map.pointsAround(NEAREST));
    $('groups').onsubmit = event => {
      event.preventDefault();
      app.doing(() => this.#make());
    };
    app.map.onlasso = points => this.#take(points);
  }

  #toggle(on) {
    [this.#with, this.#without] = [null, null];
    $('groups').hidden = !on;
    $('lasso').setAttribute('aria-pressed', on);
    this.#app.map.mode = on ? 'lasso' : 'walk';
    this.#app.map.highlight(null);
    this.#ask();
  }

  #ask() {
    const steps = this.#with === null
      ? 'First: draw a line around images that show it, or take those nearest to the stage (or found by the search).'
      : this.#without === null
        ? `${this.#with.length} images show it. Now draw around images like them that do not, or take all the others.`
        : `${this.#with.length} images with it, ${this.#without.length} without. What is it called?`;
    $('groups-help').textContent = steps;
    $('take-group').textContent = this.#with === null ? `Take the nearest ${NEAREST}` : 'Take all the others';
    $('take-group').hidden = this.#without !== null;
    $('name-row').hidden = $('make-concept').hidden = this.#without === null;
    if (!$('groups').hidden) this.#app.say(steps);
    if (this.#without !== null) $('concept-name').focus();
  }

  #take(points) {
    if (this.#with === null) {
      if (points.length >= FEWEST) this.#with = points;
    } else {
      const taken = new Set(this.#with);
      const others = (points ?? this.#map.allBut(this.#with)).filter(point => !taken.has(point));
      if (others.length >= FEWEST) this.#without = others;
    }
    this.#app.map.highlight(this.#with && [...this.#with, ...this.#without ?? []]);
    this.#ask();
  }

  /** The slider is there at once; where there is a server, the concept is saved there too. */
  async #make() {
    const name = $('concept-name').value.normalize().trim().toLowerCase().replaceAll(' ', '_');
    const { state, model } = this.#app;
    if (!isConceptName(name) || state.concepts.some(concept => concept.name === name)) {
      $('concept-name').setCustomValidity(isConceptName(name) ? 'There is one of that name.'
        : 'Letters, digits, - and _, beginning with a letter or digit.');
      $('concept-name').reportValidity();
      $('concept-name').oninput = () => $('concept-name').setCustomValidity('');
      return;
    }
    const [shown, others] = [this.#with, this.#without];
    state.addOwn({ name, direction: this.#map.directionOf(shown, others) });
    this.#toggle(false);
    $('concept-name').value = '';
    this.#app.showTab('sliders');
    document.getElementById(`concept-${name}`)?.focus();
    this.#app.say(`${wordsOf(name)} is a slider now.`);
    if (isStatic) return;
    const body = JSON.stringify({ with: this.#map.latentsOf(shown, MOST_SENT), without: this.#map.latentsOf(others, MOST_SENT) });
    await ask(operation(model.name, `concepts/${encodeURIComponent(name)}`), { method: 'PUT', type: 'application/json', body });
  }
}
