// Reads a 64 x 64 picture of a shape: fits drawn shapes of all sizes and places to it, with the two colours that leave
// the least error. It knows nothing of the model.

const N = 64;

const COLORS = {
  red: [220, 38, 38],
  orange: [245, 130, 32],
  yellow: [250, 208, 40],
  green: [34, 160, 70],
  blue: [37, 99, 220],
  purple: [130, 60, 200],
  pink: [244, 130, 180],
  brown: [120, 72, 36],
  black: [20, 20, 24],
  white: [246, 246, 246],
};

/** Half a star's point, in radians. */
const POINT = Math.PI / 5;

/** Signed distances from shapes of radius r, about; negative inside. */
const SHAPES = {
  circle: (x, y, r) => Math.hypot(x, y) - r,
  square: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) - 0.86 * r,
  triangle(x, y, r) {
    const down = y - 0.15 * r;
    return Math.max(0.866 * Math.abs(x) - 0.5 * down - 0.5 * r, down - 0.72 * r);
  },
  star(x, y, r) {
    const turn = Math.atan2(x, -y) + POINT;
    const angle = turn - 2 * POINT * Math.floor(turn / (2 * POINT)) - POINT;
    const [px, py] = [Math.hypot(x, y) * Math.abs(Math.sin(angle)), Math.hypot(x, y) * Math.cos(angle)];
    // The edge from the outer point to the inner one.
    const [ex, ey] = [0.42 * r * Math.sin(POINT), 0.42 * r * Math.cos(POINT) - r];
    return (ex * (py - r) - ey * px) / Math.hypot(ex, ey);
  },
  heart(x, y, r) {
    const [u, v] = [(x / r) * 1.05, (-y / r) * 1.05 + 0.15];
    const q = u * u + v * v - 0.62;
    return Math.cbrt(q ** 3 - u * u * v ** 3) * r * 0.35;
  },
  ring: (x, y, r) => Math.abs(Math.hypot(x, y) - 0.78 * r) - 0.24 * r,
  cross(x, y, r) {
    const [a, b] = [Math.abs(x), Math.abs(y)];
    return Math.min(Math.max(a - r, b - 0.32 * r), Math.max(a - 0.32 * r, b - r));
  },
  diamond: (x, y, r) => (Math.abs(x) / 0.8 + Math.abs(y)) * 0.62 - 0.66 * r,
};

const RADII = [0.26, 0.3, 0.34, 0.42, 0.46, 0.5, 0.58, 0.66, 0.72];

const templates = makeTemplates();

function makeTemplates() {
  const made = [];
  for (const [shape, distance] of Object.entries(SHAPES)) {
    for (const radius of RADII) {
      const places = radius < 0.55 ? [-0.34, -0.2, 0, 0.2, 0.34] : [-0.05, 0.05];
      for (const left of places) for (const top of places) made.push(makeTemplate(shape, distance, radius, left, top));
    }
  }
  return made;
}

/** How much of each pixel the shape covers. */
function makeTemplate(shape, distance, radius, left, top) {
  const cover = Float32Array.from({ length: N * N }, (_, i) => {
    const [x, y] = [i % N, Math.floor(i / N)].map((at) => ((at + 0.5) / N) * 2 - 1);
    return Math.min(Math.max(0.5 - (distance(x - left, y - top, radius) * N) / 2 / 1.4, 0), 1);
  });
  const sum = cover.reduce((total, c) => total + c, 0);
  const squares = cover.reduce((total, c) => total + c * c, 0);
  return { shape, radius, left, top, cover, sum, squares };
}

/**
 * @param {ArrayLike<number>} colours RGB, row by row
 * @returns {{ color: string, shape: string, background: string, radius: number, left: number, top: number }}
 */
export function readPicture(colours) {
  const channels = [0, 1, 2].map((c) => Float32Array.from({ length: N * N }, (_, i) => colours[3 * i + c]));
  const totals = channels.map((values) => values.reduce((sum, v) => sum + v, 0));
  let best = { gain: -Infinity };
  for (const template of templates) {
    const { cover, sum, squares } = template;
    const fit = channels.map((values, c) => {
      let product = 0;
      for (let i = 0; i < N * N; i++) product += cover[i] * values[i];
      // Least squares of value = background + cover * difference.
      const difference = (N * N * product - sum * totals[c]) / (N * N * squares - sum * sum);
      const background = (totals[c] - sum * difference) / (N * N);
      return { difference, background, gain: background * totals[c] + difference * product };
    });
    const gain = fit.reduce((all, channel) => all + channel.gain, 0);
    if (gain > best.gain) best = { gain, fit, template };
  }
  const { shape, radius, left, top } = best.template;
  return {
    color: nearestColor(best.fit.map(({ background, difference }) => background + difference)),
    shape,
    background: nearestColor(best.fit.map(({ background }) => background)),
    radius,
    left,
    top,
  };
}

function nearestColor(rgb) {
  const distance = (color) => color.reduce((sum, value, i) => sum + (value - rgb[i]) ** 2, 0);
  return Object.keys(COLORS).reduce((best, name) => (distance(COLORS[name]) < distance(COLORS[best]) ? name : best));
}

/** A drawing, as the reader expects it. */
export function drawShape({ color, shape, background, radius, left, top }) {
  const { cover } = makeTemplate(shape, SHAPES[shape], radius, left, top);
  const [inside, outside] = [COLORS[color], COLORS[background]];
  return Array.from({ length: 3 * N * N }, (_, i) => {
    const part = cover[Math.floor(i / 3)];
    return Math.round(part * inside[i % 3] + (1 - part) * outside[i % 3]);
  });
}

export const NAMES = { colors: Object.keys(COLORS), shapes: Object.keys(SHAPES) };
