// What hands and keys do on the map, told as what is meant.
const STILL = 14, FINE = 0.012;

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Gestures {
  #camera;
  #meant;
  #pointers = new Map();
  #press = null;
  #pinch = null;
  #line = null;

  /** @param meant what to call: hover(pixels), leave(), draw(line), drawn(line), click(place), step(direction) */
  constructor(canvas, camera, meant) {
    [this.#camera, this.#meant] = [camera, meant];
    canvas.addEventListener('wheel', event => {
      event.preventDefault();
      camera.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), ...placeIn(canvas, event));
    }, { passive: false });
    canvas.onpointerdown = event => {
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, placeIn(canvas, event));
      this.#press = this.#pointers.size === 1 ? { at: placeIn(canvas, event), pan: event.button === 1 || event.shiftKey } : null;
      if (this.#press) meant.hover(this.#press.at);
      else meant.leave();
      this.#line = this.#pinch = null;
    };
    canvas.onpointermove = event => this.#moved(event, placeIn(canvas, event));
    canvas.onpointerup = canvas.onpointercancel = event => this.#up(event);
    canvas.onpointerleave = () => meant.leave();
    canvas.onkeydown = event => this.#key(event);
  }

  #moved(event, at) {
    const before = this.#pointers.get(event.pointerId);
    if (before) this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size === 2) {
      this.#pinchTo([...this.#pointers.values()]);
    } else if (this.#press?.pan) {
      this.#camera.panBy(at[0] - before[0], at[1] - before[1]);
    } else {
      this.#meant.hover(at);
      if (this.#press && Math.hypot(at[0] - this.#press.at[0], at[1] - this.#press.at[1]) > STILL) this.#drawTo(this.#camera.placeAt(at));
    }
  }

  #drawTo(place) {
    this.#line ??= [this.#camera.placeAt(this.#press.at)];
    const [x, y] = this.#line.at(-1);
    if (Math.hypot(x - place[0], y - place[1]) < FINE) return;
    this.#line.push(place);
    this.#meant.draw(this.#line);
  }

  #up(event) {
    const fingers = this.#pointers.size;
    this.#pointers.delete(event.pointerId);
    const [press, line] = [this.#press, this.#line];
    this.#press = this.#line = this.#pinch = null;
    if (event.pointerType !== 'mouse') this.#meant.leave();
    const whole = fingers === 1 && press && !press.pan && event.type === 'pointerup';
    if (line) this.#meant.drawn(whole && line.length > 2 ? line : null);
    else if (whole) this.#meant.click(this.#camera.placeAt(press.at));
  }

  #pinchTo([first, second]) {
    const now = {
      x: (first[0] + second[0]) / 2, y: (first[1] + second[1]) / 2, apart: Math.hypot(first[0] - second[0], first[1] - second[1]),
    };
    if (this.#pinch) {
      this.#camera.panBy(now.x - this.#pinch.x, now.y - this.#pinch.y);
      this.#camera.zoomBy(now.apart / this.#pinch.apart, now.x, now.y);
    }
    this.#pinch = now;
  }

  #key(event) {
    const step = STEPS[event.key];
    if (event.key === '+' || event.key === '=') this.#camera.zoomBy(1.6);
    else if (event.key === '-') this.#camera.zoomBy(1 / 1.6);
    else if (step && event.shiftKey) this.#camera.panBy(-step[0] * 60, -step[1] * 60);
    else if (step) this.#meant.step(step);
    else return;
    event.preventDefault();
  }
}

function placeIn(canvas, event) {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}
