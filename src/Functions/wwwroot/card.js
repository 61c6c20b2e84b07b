// The card that people pass around: the picture, what was done to it, and its neighbours on the journey.
import { join } from './latents.js';
import { $, download, make, paint, slice } from './pictures.js';
import { signed, wordsOf } from './stage.js';

const WIDTH = 1000, EDGE = 60, STRIP = 6;

export async function saveCard({ model, state, stage }) {
  if (!stage.rgba) return;
  const { width, height } = model.image;
  const [wide, small] = [WIDTH - 2 * EDGE, (WIDTH - 2 * EDGE - (STRIP - 1) * 12) / STRIP];
  const high = Math.round(wide * height / width);
  const canvas = make('canvas', { width: WIDTH, height: EDGE + high + 40 + Math.round(small * height / width) + 170 });
  const context = canvas.getContext('2d');
  const { backgroundColor: paper, color: ink, fontFamily: face } = getComputedStyle(document.body);
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);

  const draw = (rgba, x, y, w, h, radius) => {
    const source = make('canvas', { width, height });
    paint(source, rgba);
    context.save();
    context.beginPath();
    context.roundRect(x, y, w, h, radius);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(source, x, y, w, h);
    context.restore();
  };
  draw(stage.rgba, EDGE, EDGE, wide, high, 36);
  const from = state.latent;
  const steps = Array.from({ length: STRIP }, (_, i) => from.map(value => value * (i + 1) / STRIP));
  const { rgba } = await model.decoder.decode(join(steps), state.label);
  const top = EDGE + high + 40;
  for (let i = 0; i < STRIP; i++) draw(slice(rgba, model.image, i), EDGE + i * (small + 12), top, small, small * height / width, 16);

  const line = top + small * height / width + 70;
  context.fillStyle = ink;
  context.font = `700 40px ${face}`;
  context.fillText(titleOf(model, state), EDGE, line, wide);
  context.fillStyle = getComputedStyle($('hint')).color;
  context.font = `28px ${face}`;
  context.fillText(`${model.name.model} ${model.name.version} · from the average image to this one`, EDGE, line + 48, wide);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  download(blob, `${model.name.model}-card.png`);
}

function titleOf(model, state) {
  const edits = [...state.strengths].map(([name, value]) => `${wordsOf(name)} ${signed(value)}`);
  if (model.conditional) edits.unshift(model.labels[state.label]);
  if (edits.length > 0) return edits.join(' · ');
  return state.base.kind === 'seed' ? `Seed ${state.base.seed}` : state.base.kind === 'point' ? `Image ${state.base.point}, remembered` : 'Somewhere in between';
}
