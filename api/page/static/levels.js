// The sound level over time, as far as this page has seen it.

const SVG = "http://www.w3.org/2000/svg";
const KEPT_MS = 3_600_000;
const LEAST_MS = 300_000;
const GAP_MS = 75_000;
const FLOOR = -60;
const WIDTH = 600;
const HEIGHT = 90;

export class LevelHistory {
  constructor(root, monitorId) {
    this.root = root;
    this.monitorId = monitorId;
  }

  /** Takes what the element of the levels says: when, how much, and in which unit. */
  add(levels) {
    const { at, level, unit } = levels.dataset;
    const key = `levels:${this.monitorId}:${unit}`;
    if (key !== this.key) this.points = restored(key);
    this.key = key;
    const point = [Date.parse(at ?? ""), Number.parseFloat(level ?? "")];
    if (point.every(Number.isFinite) && point[0] > (this.points.at(-1)?.[0] ?? 0)) {
      this.points = [...this.points, point].filter(([moment]) => moment > point[0] - KEPT_MS);
      keep(key, this.points);
    }
    this.draw(levels.dataset);
  }

  draw({ target, tolerance }) {
    this.root.hidden = this.points.length < 2;
    if (this.root.hidden) return;
    const to = this.points.at(-1)[0];
    const from = Math.min(this.points[0][0], to - LEAST_MS);
    const svg = this.root.querySelector("svg");
    svg.replaceChildren(...[-48, -36, -24, -12].map(guide));
    if (target) svg.append(band(Number(target), Number(tolerance)));
    svg.append(element("path", { d: this.path((at) => ((at - from) / (to - from)) * WIDTH), class: "level-line" }));
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

function restored(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function keep(key, points) {
  try {
    sessionStorage.setItem(key, JSON.stringify(points));
  } catch {
    // A browser that keeps nothing shows what came since the page was opened.
  }
}
