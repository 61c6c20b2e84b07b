// Things that take time: wishes of which only the newest counts, and animations.

const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Runs one wish at a time. Of those that come meanwhile, the newest is next and the others are forgotten. */
export function newestWins(work, failed) {
  let busy = false, next = null;
  return async wish => {
    next = { wish };
    if (busy) return;
    busy = true;
    while (next) {
      [{ wish }, next] = [next, null];
      await work(wish).catch(fault => failed?.(fault));
    }
    busy = false;
  };
}

/** Calls after a pause without further calls. */
export function afterPause(milliseconds, work) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

let running = 0;

/** Whatever moves on the stage stops. */
export const stopMotion = () => { running++; };

/** Shows frames from 0 to 1, gently at both ends; another animation ends this one. */
export function animate(milliseconds, frame, end) {
  const own = ++running;
  const started = performance.now();
  const tick = () => {
    if (own !== running) return;
    const t = still.matches ? 1 : Math.min(1, (performance.now() - started) / milliseconds);
    frame(t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2);
    if (t < 1) requestAnimationFrame(tick);
    else end?.();
  };
  tick();
}

/** Calls with the seconds that have passed, frame by frame, until it is stopped or another animation begins. */
export function loop(step, ended) {
  const own = ++running;
  let last = performance.now();
  const tick = now => {
    if (own !== running) {
      ended();
      return;
    }
    step(Math.max(0, now - last) / 1000);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
