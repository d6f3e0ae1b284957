// The strip of coverage: a lane of the picture and one of the sound, with marks of incidents.

import { call } from "./api.js";
import { marks, runs, ticks, totals } from "./coverage.js";
import { t, textOf } from "./texts.js";
import { duration, locale, now } from "./time.js";

const SVG = "http://www.w3.org/2000/svg";
const LANES = ["video", "audio"];
const LANE_PX = 28;
const GAP_PX = 6;
const TOP_PX = 18;
const AXIS_PX = 22;
const LEAST_SPAN_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_SPAN_MS = 31 * DAY_MS;
const ZOOM = 2;
const SETTLE_MS = 150;
const DRAG_PX = 4;

export function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function draw(parent, name, attributes, text) {
  const element = svgElement(name, attributes);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function get(path, query) {
  return call("GET", `${path}?${new URLSearchParams(query)}`);
}

export class CoverageStrip {
  /** `finishedAt` is NaN while the monitor watches: then the strip goes on to now. */
  constructor(root, monitorId, createdAt, finishedAt) {
    this.root = root;
    this.monitorId = monitorId;
    this.createdAt = createdAt;
    this.finishedAt = finishedAt;
    this.svg = root.querySelector("svg");
    this.readout = root.querySelector("[data-readout]");
    this.known = { from: 0, to: 0, intervals: [], incidents: [] };
    /** Settles when what was seen is shown for the first time. */
    this.loaded = new Promise((resolve) => { this.showLoaded = resolve; });
    this.follow(this.firstSpan());
    this.listen();
    new ResizeObserver(() => this.draw()).observe(root);
  }

  // The shortest of the usual spans that holds the monitor's life, all of a life that is over; a day
  // at most.
  firstSpan() {
    const buttons = [...this.root.querySelectorAll("[data-span]")];
    const spans = buttons.map((each) => Number(each.dataset.span) * 1000);
    const age = this.end() - this.createdAt;
    if (age < DAY_MS && !Number.isNaN(this.finishedAt)) return age;
    return spans.find((each) => each >= age && each <= DAY_MS) ?? DAY_MS;
  }

  end() {
    return Number.isNaN(this.finishedAt) ? now() : this.finishedAt;
  }

  follow(span) {
    this.following = true;
    const to = this.end();
    this.show({ from: to - span, to });
  }

  // The last moment moves on while the viewer looks at it.
  tick() {
    if (this.following) this.follow(this.view.to - this.view.from);
  }

  show(view) {
    const span = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, view.to - view.from));
    const to = Math.min(view.to, this.end());
    this.view = { from: to - span, to };
    this.draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.load(), this.known.to ? SETTLE_MS : 0);
  }

  pan(share) {
    const by = (this.view.to - this.view.from) * share;
    const end = this.end();
    this.following = this.view.to + by >= end;
    const to = Math.min(end, this.view.to + by);
    this.show({ from: to - (this.view.to - this.view.from), to });
  }

  // `at`: the share of the width that stays where it is.
  zoom(factor, at = 1) {
    const span = this.view.to - this.view.from;
    const still = this.view.from + span * at;
    const next = Math.min(MOST_SPAN_MS, Math.max(LEAST_SPAN_MS, span * factor));
    this.following = this.following && at === 1;
    this.show({ from: still - next * at, to: still + next * (1 - at) });
  }

  async load() {
    const asked = { ...this.view };
    this.root.setAttribute("aria-busy", "true");
    try {
      const range = { from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString() };
      const [timeline, incidents] = await Promise.all([
        get(`/api/v1/monitors/${this.monitorId}/timeline`, range),
        get("/api/v1/incidents", {
          monitor_id: this.monitorId, since: range.from, until: range.to, limit: 200,
        }),
      ]);
      if (asked.from !== this.view.from || asked.to !== this.view.to) return;
      this.known = {
        ...asked,
        intervals: timeline.intervals.map((each) => ({
          ...each, from: Date.parse(each.from), to: Date.parse(each.to),
        })),
        incidents: incidents.incidents.map((each) => ({
          id: each.incident_id, kind: each.kind, at: Date.parse(each.started_at),
        })),
      };
      this.failure = null;
    } catch (refused) {
      this.failure = refused.message;
    } finally {
      this.root.removeAttribute("aria-busy");
    }
    this.draw();
    this.say();
    this.showLoaded();
  }

  draw() {
    const width = Math.max(200, Math.floor(this.svg.clientWidth));
    const height = TOP_PX + LANES.length * (LANE_PX + GAP_PX) + AXIS_PX;
    this.width = width;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const drawn = document.createDocumentFragment();
    LANES.forEach((lane, index) => this.drawLane(drawn, lane, TOP_PX + index * (LANE_PX + GAP_PX)));
    this.drawAxis(drawn, height);
    this.drawMarks(drawn);
    const patterns = this.svg.querySelector("defs");
    this.svg.replaceChildren(patterns, drawn);
    for (const button of this.root.querySelectorAll("[data-span]")) {
      const isShown = Math.abs(Number(button.dataset.span) * 1000 - (this.view.to - this.view.from)) < 1000;
      button.setAttribute("aria-pressed", String(isShown));
    }
  }

  drawLane(parent, lane, y) {
    draw(parent, "rect", { x: 0, y, width: this.width, height: LANE_PX, class: "strip-lane" });
    for (const run of runs(lane, this.known.intervals, this.view, this.width)) {
      draw(parent, "rect", {
        x: run.x, y, width: run.width, height: LANE_PX, class: `strip-${run.condition}`,
      });
    }
    draw(parent, "text", { x: 6, y: y + LANE_PX / 2, class: "strip-label" }, t(`strip.${lane}`));
  }

  drawAxis(parent, height) {
    const { moments, step_sec } = ticks(this.view, this.width);
    const form = step_sec >= 86_400 ? { month: "short", day: "numeric" }
      : { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(step_sec < 60 && { second: "2-digit" }) };
    const clock = new Intl.DateTimeFormat(locale, form);
    for (const moment of moments) {
      const x = this.x(moment);
      draw(parent, "line", { x1: x, x2: x, y1: TOP_PX, y2: height - AXIS_PX + 4, class: "strip-tick" });
      if (x < 24 || x > this.width - 24) continue;
      draw(parent, "text", { x, y: height - 4, class: "strip-time" }, clock.format(moment));
    }
  }

  drawMarks(parent) {
    for (const mark of marks(this.known.incidents, this.view, this.width)) {
      const [first] = mark.incidents;
      const count = mark.incidents.length;
      const name = count > 1 ? t("strip.incidents", { count }) : textOf("kind", first.kind);
      const link = draw(parent, "a", {
        href: `#${first.id}`, class: "strip-mark", "aria-label": `${this.time(first.at)} ${name}`,
      });
      draw(link, "path", { d: `M${mark.x - 7} 2h14l-7 12z` });
      draw(link, "title", {}, `${this.time(first.at)} ${name}`);
    }
  }

  x(moment) {
    return ((moment - this.view.from) / (this.view.to - this.view.from)) * this.width;
  }

  time(moment) {
    const form = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    if (this.view.to - this.view.from > DAY_MS) Object.assign(form, { month: "short", day: "numeric" });
    return new Intl.DateTimeFormat(locale, form).format(moment);
  }

  // One sentence of what the lanes show, for who cannot see them.
  say() {
    if (this.failure) {
      this.readout.textContent = this.failure;
      return;
    }
    const told = LANES.map((lane) => {
      const found = Object.entries(totals(lane, this.known.intervals, this.view))
        .filter(([, sec]) => sec >= 1)
        .map(([condition, sec]) => `${t(`condition.${condition}`)} ${duration(sec)}`);
      return `${t(`strip.${lane}`)}: ${found.join(", ") || t("condition.unwatched")}`;
    });
    const text = told.join(" · ");
    this.svg.setAttribute("aria-label", text);
    if (!this.pointed) this.readout.textContent = text;
  }

  // What is under the pointer.
  point(event) {
    const share = this.share(event);
    const moment = this.view.from + share * (this.view.to - this.view.from);
    const slack = 2 * (this.view.to - this.view.from) / this.width;
    const near = this.known.intervals.filter((each) => each.from - slack <= moment && moment < each.to + slack);
    const found = near.find((each) => each.condition === "faulty") ?? near.find((each) => each.from <= moment && moment < each.to);
    this.pointed = true;
    this.readout.textContent = found ? this.describe(found) : this.time(moment);
  }

  describe(interval) {
    const kinds = interval.kinds.map((kind) => textOf("kind", kind)).join(", ");
    const reason = interval.reason ? ` (${textOf("reason", interval.reason)})` : "";
    const what = kinds || t(`condition.${interval.condition}`) + reason;
    return `${this.time(interval.from)} – ${this.time(interval.to)} · ${what}`;
  }

  share(event) {
    const box = this.svg.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  }

  listen() {
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.span) this.follow(Number(button.dataset.span) * 1000);
      if (button.dataset.pan) this.pan(Number(button.dataset.pan));
      if (button.dataset.zoom) this.zoom(Number(button.dataset.zoom));
    });
    this.svg.addEventListener("keydown", (event) => this.press(event));
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.svg.addEventListener("dblclick", (event) => this.zoom(1 / ZOOM, this.share(event)));
    this.svg.addEventListener("pointerdown", (event) => this.grab(event));
    this.svg.addEventListener("pointermove", (event) => (this.grabbed ? this.drag(event) : this.point(event)));
    this.svg.addEventListener("pointerleave", () => this.leave());
    for (const name of ["pointerup", "pointercancel"]) {
      this.svg.addEventListener(name, () => { this.grabbed = null; });
    }
  }

  press(event) {
    const keys = {
      ArrowLeft: () => this.pan(-0.25), ArrowRight: () => this.pan(0.25),
      "+": () => this.zoom(1 / ZOOM), "-": () => this.zoom(ZOOM),
      End: () => this.follow(this.view.to - this.view.from), Home: () => this.follow(DAY_MS),
    };
    if (event.target !== this.svg || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  // A plain wheel scrolls the page; with Ctrl, as a pinch on a touchpad sends it, it zooms.
  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.share(event));
  }

  grab(event) {
    if (event.target.closest("a")) return;
    this.grabbed = { x: event.clientX, view: this.view, moved: false };
  }

  drag(event) {
    const by = event.clientX - this.grabbed.x;
    if (!this.grabbed.moved && Math.abs(by) < DRAG_PX) return;
    if (!this.grabbed.moved) this.svg.setPointerCapture(event.pointerId);
    this.grabbed.moved = true;
    const { from, to } = this.grabbed.view;
    const ms = (by / this.svg.getBoundingClientRect().width) * (to - from);
    this.following = to - ms >= this.end();
    this.show({ from: from - ms, to: to - ms });
  }

  leave() {
    this.pointed = false;
    this.say();
  }
}
