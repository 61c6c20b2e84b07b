// Colours that tell labels apart and show how much there is of an attribute, on light and dark alike.

/** Hues by the golden angle, so that any number of them lie apart; lightness alternates. */
export const palette = count => Array.from({ length: Math.max(1, count) }, (_, i) => `hsl(${(i * 137.5 + 8) % 360} 72% ${[52, 66, 42][i % 3]}%)`);

/** From deep blue through green to yellow, as even to the eye as viridis. */
export const ramp = count => Array.from({ length: count }, (_, i) => {
  const t = i / (count - 1);
  return `oklch(${0.32 + 0.56 * t} ${0.11 + 0.06 * t} ${290 - 190 * t})`;
});
