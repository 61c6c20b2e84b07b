// Two versions or models on the same picture or the same seed, side by side.
import { afterPause, newestWins } from './motion.js';
import { $, make, toPng } from './pictures.js';
import { ask, askJson, fileOf, isStatic, operation, postJson } from './source.js';

export class Compare {
  #app;
  #images = {};

  constructor(app, models) {
    this.#app = app;
    $('compare-static').hidden = !isStatic;
    $('compare-tools').hidden = isStatic;
    if (isStatic) return;
    for (const side of ['this', 'other']) {
      this.#images[side] = make('img', { className: 'pixels', alt: '' });
      $(`${side}-slot`).replaceChildren(this.#images[side]);
    }
    const other = models.find(({ model }) => model !== app.model.name.model)?.model ?? models[0].model;
    $('other-model').replaceChildren(...models.map(({ model }) => make('option', { value: model, textContent: model, selected: model === other })));
    this.show = afterPause(250, newestWins(() => this.#show(), fault => app.fail(fault)));
    $('other-model').onchange = () => app.doing(() => this.#offerVersions());
    $('other-version').onchange = $('compare-what').onchange = this.show;
    app.state.addEventListener('change', ({ detail }) => { if (detail.settled) this.show(); });
    addEventListener('tab', ({ detail }) => {
      if (detail === 'compare') app.doing(() => $('other-version').options.length ? this.show() : this.#offerVersions());
    });
  }

  async #offerVersions() {
    const model = $('other-model').value;
    const { versions, current } = await askJson(`models/${encodeURIComponent(model)}/versions`);
    const { name } = this.#app.model;
    const chosen = versions.find(version => model !== name.model ? version === current : version !== name.version) ?? versions[0];
    $('other-version').replaceChildren(...versions.map(value => make('option', { value, textContent: value, selected: value === chosen })));
    this.show();
  }

  async #show() {
    const { stage, state, model } = this.#app;
    if (document.body.dataset.tab !== 'compare' || !stage.rgba || !$('other-version').value) return;
    const sides = { this: model.name, other: { model: $('other-model').value, version: $('other-version').value } };
    const bySeed = $('compare-what').value === 'seed';
    const seed = state.base.seed ?? 1;
    const sent = bySeed ? null : await toPng(stage.rgba, model.image);
    const manifests = { this: model.manifest, other: await askJson(fileOf(sides.other, 'manifest.json')) };
    await Promise.all(Object.entries(sides).map(async ([side, name]) => {
      const answer = bySeed ? await this.#sample(name, seed, manifests[side]) : await this.#reconstruct(name, sent, manifests[side]);
      URL.revokeObjectURL(this.#images[side].src);
      this.#images[side].src = URL.createObjectURL(answer);
      this.#images[side].alt = `What ${name.model} ${name.version} makes of it`;
      $(`${side}-caption`).textContent = `${name.model} ${name.version}`;
    }));
    $('compare-says').textContent = bySeed ? `Seed ${seed}: the same random numbers, decoded by both.`
      : 'The picture on the stage, through both models and back.';
  }

  async #reconstruct(name, picture, manifest) {
    const form = new FormData();
    form.append('images', picture, 'picture.png');
    if (manifest.conditional) form.append('label', `index:${this.#labelIn(manifest)}`);
    return (await ask(operation(name, 'reconstruct'), { method: 'POST', body: form, accept: 'image/png' })).blob();
  }

  async #sample(name, seed, manifest) {
    const temperature = this.#app.state.base.temperature ?? 1;
    const request = { count: 1, seed, temperature, ...(manifest.conditional && { label: manifest.labels[this.#labelIn(manifest)] }) };
    return (await postJson(operation(name, 'sample'), request, 'image/png')).blob();
  }

  /** The label on the stage, where the other model knows it; else its first. */
  #labelIn({ labels }) {
    return Math.max(0, labels.indexOf(this.#app.model.labels[this.#app.state.label]));
  }
}
