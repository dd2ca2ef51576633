// The site's own colour, made readable: WCAG 2 relative luminance and contrast.

export function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

export function contrast(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];
const READABLE = 4.5;

export function parse(colour) {
  let hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour || "")?.[1] || "2456e6";
  if (hex.length === 3) hex = hex.replace(/./g, "$&$&");
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// One of the two always reaches 4.58 : 1.
export function textOn(colour) {
  return contrast(colour, WHITE) >= READABLE ? WHITE : BLACK;
}

// The colour as ink on a surface: moved towards black or white until it can be read.
export function inkOn(colour, surface) {
  const goal = luminance(surface) > 0.18 ? BLACK : WHITE;
  let ink = colour;
  for (let step = 1; step <= 20 && contrast(ink, surface) < READABLE; step += 1) {
    ink = colour.map((part, i) => Math.round(part + ((goal[i] - part) * step) / 20));
  }
  return ink;
}

export function paint(root, colour) {
  const rgb = parse(colour);
  const css = (value) => `rgb(${value.join(" ")})`;
  // The darkest and the lightest place where ink stands, in each theme.
  const values = {
    "--site": rgb,
    "--on-site": textOn(rgb),
    "--ink-light": inkOn(rgb, [241, 243, 247]),
    "--ink-dark": inkOn(rgb, [38, 41, 49]),
  };
  Object.entries(values).forEach(([name, value]) => root.style.setProperty(name, css(value)));
}
