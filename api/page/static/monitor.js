// The monitor page: picture, meters and lists that stay current, and the strip of coverage.

import { connectForms } from "./forms.js";
import { listen } from "./live.js";
import { Renewal } from "./renewal.js";
import { CoverageStrip, svgElement } from "./strip.js";
import { localize } from "./time.js";

const LEVELS_SHOWN_MS = 1_800_000;
const LEAST_LEVELS_MS = 30_000; // less is no line
const GAP_MS = 75_000;
const FLOOR = -60;
const WIDTH = 600;
const HEIGHT = 90;
const RENEW_PICTURE_MS = 10_000;

// The latest picture of a stream, and how old it is.
class LivePicture {
  constructor(figure) {
    this.figure = figure;
    this.image = figure.querySelector("img");
    this.time = figure.querySelector("time");
    /** Settles when it is known for the first time whether there is a picture. */
    this.loaded = this.renew();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.renew(); });
  }

  // Asking says that somebody looks: the next picture comes sooner.
  async renew() {
    clearTimeout(this.timer);
    if (!document.hidden && !this.isAsking) {
      this.isAsking = true;
      await this.load().catch(() => {}); // the one that is shown says its age
      this.isAsking = false;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), RENEW_PICTURE_MS);
  }

  async load() {
    const answer = await fetch(this.figure.dataset.source);
    if (answer.status === 404) this.figure.dataset.state = "none";
    if (!answer.ok) return;
    const takenAt = answer.headers.get("Last-Modified");
    if (takenAt === this.takenAt) return;
    const url = URL.createObjectURL(await answer.blob());
    this.image.src = url;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
    this.takenAt = takenAt;
    this.figure.dataset.state = "shown";
    if (takenAt) this.time.dateTime = new Date(takenAt).toISOString();
    localize(this.figure);
  }
}

// The sound level over the last half hour.
class LevelHistory {
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
      this.points = [...this.points, point].filter(([moment]) => moment > point[0] - LEVELS_SHOWN_MS);
    }
    this.draw(dataset);
  }

  draw({ target, tolerance }) {
    const last = this.points.at(-1)?.[0];
    this.root.hidden = !(last - this.points[0]?.[0] >= LEAST_LEVELS_MS);
    if (this.root.hidden) return;
    const from = last - LEVELS_SHOWN_MS;
    const svg = this.root.querySelector("svg");
    svg.replaceChildren(...[-48, -36, -24, -12].map(guide));
    if (target) svg.append(band(Number(target), Number(tolerance)));
    svg.append(svgElement("path", { d: this.path((at) => ((at - from) / LEVELS_SHOWN_MS) * WIDTH), class: "level-line" }));
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
  return svgElement("line", { x1: 0, x2: WIDTH, y1: y(value), y2: y(value), class: "level-guide" });
}

function band(target, tolerance) {
  const [top, bottom] = [y(target + tolerance), y(target - tolerance)];
  return svgElement("rect", { x: 0, y: top, width: WIDTH, height: bottom - top, class: "level-wanted" });
}

const data = JSON.parse(document.getElementById("data").textContent);
const monitorId = data.monitor_id;

const picture = new LivePicture(document.getElementById("picture"));
const history = new LevelHistory(document.getElementById("history"), data.levels);
const strip = new CoverageStrip(
  document.getElementById("coverage"), monitorId, Date.parse(data.created_at), Date.parse(data.finished_at));
const renewal = new Renewal(document.querySelector(".monitor"), () => {
  addLevel();
  strip.tick();
});

function addLevel() {
  history.add(document.getElementById("levels"));
}

addLevel();
connectForms(document, () => renewal.soon());
listen(null, {
  monitor(monitor) {
    if (monitor.monitor_id !== monitorId) return;
    if (monitor.picture_at) picture.renew();
    renewal.soon();
  },
  incident(incident) {
    if (incident.monitor_id === monitorId) renewal.soon();
  },
});

await Promise.all([strip.loaded, picture.loaded]);
document.body.dataset.ready = "";
