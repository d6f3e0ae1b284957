// The sound level over the last half hour.

const SVG = "http://www.w3.org/2000/svg";
const SHOWN_MS = 1_800_000;
const LEAST_MS = 30_000; // less is no line
const GAP_MS = 75_000;
const FLOOR = -60;
const WIDTH = 600;
const HEIGHT = 90;

export class LevelHistory {
  /** @param {[number, number][]} known moments in seconds, with levels */
  constructor(root, known) {
    this.root = root;
    this.points = known.map(([sec, level]) => [sec * 1000, level]);
  }

  /** Takes what the element of the levels says: when, how much, and in which unit. */
  add({ dataset }) {
    const { at, level, unit } = dataset;
    if (unit && this.unit && unit !== this.unit) this.points = [];
    this.unit = unit ?? this.unit;
    const point = [Date.parse(at ?? ""), Number.parseFloat(level ?? "")];
    if (point.every(Number.isFinite) && point[0] > (this.points.at(-1)?.[0] ?? 0)) {
      this.points = [...this.points, point].filter(([moment]) => moment > point[0] - SHOWN_MS);
    }
    this.draw(dataset);
  }

  draw({ target, tolerance }) {
    const last = this.points.at(-1)?.[0];
    this.root.hidden = !(last - this.points[0]?.[0] >= LEAST_MS);
    if (this.root.hidden) return;
    const from = last - SHOWN_MS;
    const svg = this.root.querySelector("svg");
    svg.replaceChildren(...[-48, -36, -24, -12].map(guide));
    if (target) svg.append(band(Number(target), Number(tolerance)));
    svg.append(element("path", { d: this.path((at) => ((at - from) / SHOWN_MS) * WIDTH), class: "level-line" }));
  }

  path(x) {
    let path = "";
    let last = -Infinity;
    for (const [at, value] of this.points) {
      path += `${at - last > GAP_MS ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      last = at;
    }
    return path;
  }
}

function y(value) {
  return (Math.max(FLOOR, Math.min(0, value)) / FLOOR) * HEIGHT;
}

function guide(value) {
  return element("line", { x1: 0, x2: WIDTH, y1: y(value), y2: y(value), class: "level-guide" });
}

function band(target, tolerance) {
  const [top, bottom] = [y(target + tolerance), y(target - tolerance)];
  return element("rect", { x: 0, y: top, width: WIDTH, height: bottom - top, class: "level-wanted" });
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
