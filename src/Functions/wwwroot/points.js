// Training images laid out on a disc, each with its latent: what lies near what, on the disc and in the latent space.
import { add, mean, norm } from './latents.js';

export class LatentMap {
  constructor(model, description, { tensors }) {
    const { colours, labels = null, attributes = null, codes = null, codebook = null } = tensors;
    const { count, klPerLatent, attributes: attributeRanges } = description;
    Object.assign(this, { count, klPerLatent, attributeRanges, colours, labels, attributes, codes, codebook, size: model.size });
    this.positions = Float32Array.from(tensors.positions, value => value / 32767);
    this.places = codes ? codes.length / count : 0;
    this.latents = codes ? null : Float32Array.from(tensors.latents, (value, i) => value * tensors.steps[i % model.size]);
  }

  latent(point) {
    if (this.latents) return this.latents.slice(point * this.size, (point + 1) * this.size);
    return this.latentOfCodes(this.codes.subarray(point * this.places, (point + 1) * this.places));
  }

  latentOfCodes(codes) {
    const depth = this.size / this.places;
    const latent = new Float32Array(this.size);
    codes.forEach((code, place) => latent.set(this.codebook.subarray(code * depth, (code + 1) * depth), place * depth));
    return latent;
  }

  /** The nearest code of each place of a latent. */
  codesOf(latent) {
    const depth = this.size / this.places;
    return Uint16Array.from({ length: this.places }, (_, place) => {
      let [nearest, least] = [0, Infinity];
      for (let code = 0; code * depth < this.codebook.length; code++) {
        let distance = 0;
        for (let i = 0; i < depth && distance < least; i++) distance += (this.codebook[code * depth + i] - latent[place * depth + i]) ** 2;
        if (distance < least) [nearest, least] = [code, distance];
      }
      return nearest;
    });
  }

  label(point) {
    return this.labels?.[point] ?? null;
  }

  /** An attribute of a point, from 0 to 1. */
  attribute(point, column) {
    return this.attributes[point * this.attributeRanges.length + column] / 255;
  }

  position(point) {
    return [this.positions[2 * point], this.positions[2 * point + 1]];
  }

  /** How far a point lies from a latent, squared: a number that only sorts. */
  distance(point, latent) {
    let sum = 0;
    if (this.latents) {
      for (let i = 0, at = point * this.size; i < this.size; i++, at++) sum += (this.latents[at] - latent[i]) ** 2;
      return sum;
    }
    const depth = this.size / this.places;
    for (let place = 0; place < this.places; place++) {
      const code = this.codes[point * this.places + place] * depth;
      for (let i = 0; i < depth; i++) sum += (this.codebook[code + i] - latent[place * depth + i]) ** 2;
    }
    return sum;
  }

  /** The nearest points to a latent, the nearest first: [{ point, distance }]. */
  nearest(latent, count) {
    return this.#least(count, point => this.distance(point, latent));
  }

  /** Where on the disc a latent would lie: between its nearest points. */
  positionOf(latent) {
    const near = this.nearest(latent, 3);
    const weights = near.map(({ distance }) => 1 / (distance + 0.01) ** 2);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return [0, 1].map(axis => near.reduce((at, { point }, i) => at + weights[i] / sum * this.positions[2 * point + axis], 0));
  }

  /** Strength of a concept, 0.08 to 1, for each point: on which side of its plane it lies, and how far. */
  strengths({ plane, direction }) {
    const across = plane ?? direction;
    const scores = Float32Array.from({ length: this.count }, (_, point) =>
      this.latent(point).reduce((sum, value, i) => sum + value * across[i], 0));
    const sorted = scores.toSorted();
    const [low, high] = [sorted[Math.floor(sorted.length * 0.05)], sorted[Math.floor(sorted.length * 0.95)]];
    return scores.map(score => Math.min(1, Math.max(0.08, ((score - low) / (high - low || 1) - 0.45) * 6)));
  }

  nearestAt(x, y, count) {
    return this.#least(count, point => (this.positions[2 * point] - x) ** 2 + (this.positions[2 * point + 1] - y) ** 2);
  }

  /** The latent at a place of the disc, and how far the nearest point is; of codes, that point's, since they do not mix. */
  latentAt(x, y) {
    const near = this.nearestAt(x, y, 4);
    const distance = Math.sqrt(near[0].distance);
    if (this.codes) return { latent: this.latent(near[0].point), point: near[0].point, distance };
    const weights = near.map(({ distance: square }) => 1 / (square + 2e-6) ** 1.6);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let latent = new Float32Array(this.size);
    let far = 0;
    near.forEach(({ point }, i) => {
      const neighbour = this.latent(point);
      far += weights[i] / sum * norm(neighbour);
      latent = add(latent, weights[i] / sum, neighbour);
    });
    const factor = far / (norm(latent) || 1); // as far out as the neighbours are
    return { latent: latent.map(value => value * factor), distance };
  }

  /** The nearest point in a direction; null at the edge. */
  nextTo([x, y], [dx, dy]) {
    const [best] = this.#least(1, point => {
      const [px, py] = [this.positions[2 * point] - x, this.positions[2 * point + 1] - y];
      const [along, across] = [px * dx + py * dy, Math.abs(px * dy - py * dx)];
      return along < 0.02 || across > along ? Infinity : along + 2 * across;
    });
    return best.distance < Infinity ? best.point : null;
  }

  /** The points inside a drawn line. */
  inside(line) {
    return Array.from({ length: this.count }, (_, i) => i).filter(point => {
      const [x, y] = this.position(point);
      let within = false;
      for (let a = 0, b = line.length - 1; a < line.length; b = a++) {
        const [[ax, ay], [bx, by]] = [line[a], line[b]];
        if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) within = !within;
      }
      return within;
    });
  }

  allBut(points) {
    const taken = new Set(points);
    return Array.from({ length: this.count }, (_, i) => i).filter(point => !taken.has(point));
  }

  /** What makes the one group of points out of the other. */
  directionOf(points, others) {
    return add(mean(points.map(point => this.latent(point))), -1, mean(others.map(point => this.latent(point))));
  }

  /** Latents from all over a group. */
  latentsOf(points, most) {
    const count = Math.min(most, points.length);
    return Array.from({ length: count }, (_, i) => [...this.latent(points[Math.floor(i * points.length / count)])]);
  }

  /** The points of which a number is least, the least first. */
  #least(count, measure) {
    const best = [];
    for (let point = 0; point < this.count; point++) {
      const distance = measure(point);
      if (best.length === count && distance >= best[count - 1].distance) continue;
      best.push({ point, distance });
      best.sort((left, right) => left.distance - right.distance);
      best.length = Math.min(count, best.length);
    }
    return best;
  }
}

/** Points on a line at equal distances along it. */
export function resample(line, count) {
  const along = [0];
  for (let i = 1; i < line.length; i++) along.push(along[i - 1] + Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]));
  return Array.from({ length: count }, (_, k) => {
    const wanted = along.at(-1) * k / (count - 1);
    let i = 1;
    while (i < line.length - 1 && along[i] < wanted) i++;
    const t = (wanted - along[i - 1]) / (along[i] - along[i - 1] || 1);
    return [line[i - 1][0] + t * (line[i][0] - line[i - 1][0]), line[i - 1][1] + t * (line[i][1] - line[i - 1][1])];
  });
}
