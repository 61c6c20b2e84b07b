// The journey: stops on a closed way through the latent space, played, scrubbed and saved.
import { between, join } from './latents.js';
import { afterPause, animate, loop, newestWins, stopMotion } from './motion.js';
import { $, download, paint, slice, toAnimation } from './pictures.js';
import { pointOf } from './stage.js';

const SECONDS_A_STEP = 1.2, FRAMES_A_STEP = 12, FRAME_MILLISECONDS = 80, STRIP_FRAMES = 9, ENLARGED = 256;

export class Journey {
  #app;
  #map;
  #head = 0;
  #playing = false;

  constructor(app, map) {
    [this.#app, this.#map] = [app, map];
    this.strip = newestWins(() => this.#paintStrip(), fault => app.fail(fault));
    const later = afterPause(120, () => this.strip());
    app.state.addEventListener('stops', later);
    new ResizeObserver(later).observe($('strip').parentElement);
    this.#bind();
  }

  /** Begins with a few images from all over the map, unless the address has a journey. */
  start() {
    const { state } = this.#app;
    if (state.stops.length === 0 && this.#map) {
      const count = Math.min(6, this.#map.count);
      state.setStops(Array.from({ length: count }, (_, i) => pointOf(this.#map, Math.floor((i + 0.4) * this.#map.count / count))));
    } else {
      this.strip();
    }
  }

  get #stops() {
    return this.#app.state.stops;
  }

  /** A place on the way, from 0 to 1; the way ends where it began. */
  #along(t) {
    const stops = this.#stops;
    const at = Math.min(0.999999, Math.max(0, t)) * stops.length;
    const i = Math.floor(at);
    return between(stops[i].latent, stops[(i + 1) % stops.length].latent, at - i);
  }

  #bind() {
    const { state, stage, map } = this.#app;
    $('play').onclick = () => this.#playing ? stopMotion() : this.#play();
    $('scrub').oninput = () => {
      stopMotion();
      this.#seek(Number($('scrub').value));
    };
    $('scrub').onchange = () => {
      if (this.#stops.length > 0) state.go(state.placeOf(this.#along(this.#head)));
    };
    $('add-stop').onclick = () => {
      state.setStops([...this.#stops, state.place]);
      this.#app.say(`The journey has ${this.#stops.length} stops.`);
    };
    $('clear-stops').onclick = () => {
      stopMotion();
      state.setStops([]);
      this.#app.say('The journey is empty.');
    };
    $('save-strip').onclick = () => this.#app.doing(() => this.#saveStrip());
    $('save-animation').onclick = () => this.#app.doing(() => this.#saveAnimation());
    if (map) {
      map.onwalk = places => {
        state.setStops(places);
        animate(1, () => stage.show(state.latent));
        this.#head = 0;
        this.#play();
      };
    }
  }

  #play() {
    if (this.#stops.length < 2) {
      this.#app.say('A journey needs two stops. Add what is on the stage, and then something else.');
      return;
    }
    this.#playing = true;
    this.#showPlaying();
    loop(seconds => this.#seek((this.#head + seconds / (SECONDS_A_STEP * this.#stops.length)) % 1), () => {
      this.#playing = false;
      this.#showPlaying();
      if (this.#stops.length > 0) this.#app.state.go(this.#app.state.placeOf(this.#along(this.#head)));
    });
  }

  #showPlaying() {
    $('play').setAttribute('aria-pressed', this.#playing);
    $('play').setAttribute('aria-label', this.#playing ? 'Pause the journey' : 'Play the journey');
  }

  #seek(t) {
    if (this.#stops.length === 0) return;
    this.#head = t;
    $('scrub').value = t;
    this.#app.state.pass(this.#along(t));
  }

  /** As many pictures as fit. */
  async #paintStrip() {
    const { width, height } = this.#app.model.image;
    const box = $('strip').parentElement.getBoundingClientRect();
    const count = Math.max(2, Math.round(box.width / (box.height * width / height)));
    const canvas = $('strip');
    if (this.#stops.length === 0) {
      canvas.width = canvas.height = 1;
      return;
    }
    const { rgba } = await this.#decode(count);
    Object.assign(canvas, { width: count * width, height });
    const context = canvas.getContext('2d');
    for (let i = 0; i < count; i++) context.putImageData(new ImageData(slice(rgba, { width, height }, i), width, height), i * width, 0);
  }

  #decode(count) {
    const { model, state } = this.#app;
    return model.decoder.decode(join(Array.from({ length: count }, (_, i) => this.#along(i / count))), state.label);
  }

  /** A picture, larger by a whole number, so that it can be seen. */
  #enlarged(frames) {
    const { width, height } = this.#app.model.image;
    const factor = Math.max(1, Math.floor(ENLARGED / Math.max(width, height)));
    const canvas = new OffscreenCanvas(width * factor, height * factor);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    const small = document.createElement('canvas');
    Object.assign(small, { width, height });
    const shape = { width: canvas.width, height: canvas.height };
    return { shape, pictures: frames.map(frame => {
      paint(small, frame);
      context.drawImage(small, 0, 0, canvas.width, canvas.height);
      return context.getImageData(0, 0, canvas.width, canvas.height).data;
    }) };
  }

  async #frames(count) {
    const { rgba } = await this.#decode(count);
    return this.#enlarged(Array.from({ length: count }, (_, i) => slice(rgba, this.#app.model.image, i)));
  }

  async #saveStrip() {
    if (this.#stops.length === 0) return;
    const { shape, pictures } = await this.#frames(STRIP_FRAMES);
    const all = new OffscreenCanvas(shape.width * pictures.length, shape.height);
    pictures.forEach((picture, i) => all.getContext('2d').putImageData(new ImageData(picture, shape.width, shape.height), i * shape.width, 0));
    download(await all.convertToBlob({ type: 'image/png' }), `${this.#app.model.name.model}-journey.png`);
  }

  async #saveAnimation() {
    if (this.#stops.length === 0) return;
    const { shape, pictures } = await this.#frames(this.#stops.length * FRAMES_A_STEP);
    download(await toAnimation(pictures, shape, FRAME_MILLISECONDS), `${this.#app.model.name.model}-journey-animated.png`);
  }
}
