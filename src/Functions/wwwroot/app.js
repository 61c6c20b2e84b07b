// The explorer, in order: open the model, show the map, wake the decoder, follow the hand.
import { askJson, isStatic, listModels, Problem } from './source.js';
import { Model } from './model.js';
import { State } from './state.js';
import { Stage, pointOf } from './stage.js';
import { LatentMapView } from './map.js';
import { Groups } from './groups.js';
import { Journey } from './journey.js';
import { YourPicture } from './yours.js';
import { Units } from './units.js';
import { Compare } from './compare.js';
import { Code } from './code.js';
import { saveCard } from './card.js';
import { $, make } from './pictures.js';

class App {
  async open() {
    this.#bindTabs();
    this.#bindTheme();
    const models = await listModels();
    if (models.length === 0) throw new Problem('No model is published yet. Train one with ./vae train faces-vae, and open this page again.');
    const wanted = new URLSearchParams(location.hash.slice(1));
    const line = models.find(({ model }) => model === wanted.get('model')) ?? models[0];
    const version = line.model === wanted.get('model') && !isStatic ? wanted.get('version') ?? line.version : line.version;
    this.doing(() => this.#offerModels(models, line, version));
    this.model = await Model.open({ model: line.model, version });
    const saved = this.model.addSavedConcepts();
    if (wanted.has('edit')) await saved;
    this.state = new State(this.model);
    this.#title();

    this.stage = new Stage(this);
    const map = await this.model.map;
    if (!await this.state.fromAddress(location.hash, map)) this.state.base = await this.#firstPlace(map);
    if (map) this.map = new LatentMapView(this, map);
    $('no-map').hidden = Boolean(map);
    this.groups = new Groups(this, map);
    this.journey = new Journey(this, map);
    this.yours = new YourPicture(this);
    this.units = new Units(this, map);
    this.compare = new Compare(this, models);
    this.code = new Code(this);
    this.#bindActions();
    document.body.classList.remove('opening');

    this.state.dispatchEvent(new Event('concepts'));
    this.state.dispatchEvent(new CustomEvent('change', { detail: { settled: true } }));
    this.doing(() => saved.then(() => this.state.dispatchEvent(new Event('concepts'))));
    await this.model.decoder.ready;
    this.showEngine();
    this.stage.caps();
    this.journey.start();
    if (map) await this.doing(() => this.map.decodeThumbnails());
  }

  /** Something that is read out, and not shown. */
  say(text) {
    $('said').textContent = text;
  }

  /** What went wrong, in a bar that goes away by itself, or when something works again. */
  fail(fault) {
    console.warn(fault.message);
    $('notice').textContent = fault instanceof Problem ? fault.message : `Something went wrong: ${fault.message}`;
    $('notice').hidden = false;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 12_000);
  }

  /** Runs what a button does; what it throws is said. */
  async doing(work) {
    try {
      await work();
    } catch (fault) {
      this.fail(fault);
    }
  }

  /** Says who decodes, and how fast. */
  showEngine(milliseconds) {
    $('loading').hidden = true;
    const { where, reason } = this.model.decoder;
    if (!where) return;
    const time = milliseconds === undefined ? '' : ` in ${milliseconds < 0.95 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
    $('engine').textContent = `decoded ${where === 'device' ? 'on your device' : 'by the server'}${time}`;
    $('engine').title = reason && `Not on your device: ${reason}`;
    $('engine').classList.add('on');
  }

  showTab(name) {
    document.body.dataset.tab = name;
    for (const tab of document.querySelectorAll('[role=tab]')) {
      const own = tab.id === `tab-${name}`;
      tab.setAttribute('aria-selected', own);
      tab.tabIndex = own ? 0 : -1;
      const panel = $(tab.getAttribute('aria-controls'));
      if (panel.id !== 'world') panel.hidden = !own;
    }
    dispatchEvent(new CustomEvent('tab', { detail: name }));
  }

  async #firstPlace(map) {
    if (map) return pointOf(map, Math.min(7, map.count - 1));
    if (this.model.prior === 'none') return { kind: 'latent', latent: new Float32Array(this.model.size) };
    return { kind: 'seed', seed: 1, temperature: 0.9, latent: await this.model.draw(1, 0.9) };
  }

  #title() {
    const { manifest } = this.model;
    const count = manifest.data.train;
    document.title = `${manifest.model} · latent space`;
    $('title').textContent = `${count.toLocaleString('en')} images,`;
    $('tagline').textContent = 'and everything in between';
    $('title').parentElement.title = `${manifest.model}: ${manifest.kind}, ${manifest.latentSize} numbers an image`;
  }

  async #offerModels(models, line, version) {
    $('model-choice').replaceChildren(...models.map(({ model }) => make('option', { value: model, textContent: model, selected: model === line.model })));
    $('model-choice').onchange = () => this.#reopen({ model: $('model-choice').value });
    const versions = isStatic ? [version] : (await askJson(`models/${encodeURIComponent(line.model)}/versions`)).versions;
    $('version-choice').replaceChildren(...versions.map(name => make('option', { value: name, textContent: name, selected: name === version })));
    $('version-choice').onchange = () => this.#reopen({ model: line.model, version: $('version-choice').value });
    $('version-pick').hidden = versions.length < 2;
  }

  #reopen(name) {
    location.hash = String(new URLSearchParams(name));
    location.reload();
  }

  #bindActions() {
    $('copy-link').onclick = async () => {
      history.replaceState(null, '', this.state.toAddress());
      const label = $('copy-link').querySelector('span');
      try {
        await navigator.clipboard.writeText(location.href);
        label.textContent = 'Copied';
      } catch {
        label.textContent = 'It is the address';
      }
      this.say(label.textContent);
      setTimeout(() => { label.textContent = 'Copy link'; }, 1800);
    };
    $('save-card').onclick = () => this.doing(() => saveCard(this));
    addEventListener('hashchange', () => location.reload());
    addEventListener('keydown', event => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !event.target.matches('input:not([type=range]), textarea')) {
        event.preventDefault();
        $('undo').click();
      } else if (event.target === document.body && event.code === 'Space') {
        event.preventDefault();
        $('dice').click();
      }
    });
  }

  #bindTabs() {
    const tabs = [...document.querySelectorAll('[role=tab]')];
    for (const tab of tabs) {
      tab.onclick = () => this.showTab(tab.id.slice('tab-'.length));
      tab.onkeydown = event => {
        const seen = tabs.filter(other => other.checkVisibility());
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = event.key === 'Home' ? seen[0] : event.key === 'End' ? seen.at(-1)
          : step && seen[(seen.indexOf(tab) + step + seen.length) % seen.length];
        if (!next) return;
        event.preventDefault();
        next.click();
        next.focus();
      };
    }
    this.showTab('sliders');
  }

  #bindTheme() {
    const root = document.documentElement;
    try {
      if (localStorage.theme === 'dark' || localStorage.theme === 'light') root.dataset.theme = localStorage.theme;
    } catch { /* no storage: the system's theme */ }
    $('theme').onclick = () => {
      const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
      root.dataset.theme = dark ? 'light' : 'dark';
      try { localStorage.theme = root.dataset.theme; } catch { /* only until the page is closed */ }
      this.map?.redraw();
    };
  }
}

const app = new App();
try {
  await app.open();
} catch (fault) {
  document.body.classList.remove('opening');
  $('loading').hidden = true;
  $('engine').textContent = 'not running';
  app.fail(fault);
  clearTimeout(app.noticeTimer); // stays
}
