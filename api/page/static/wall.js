// The wall: a tile for each monitor, what needs attention first.

import { call } from "./api.js";
import { listen } from "./live.js";
import { Pictures } from "./wall_pictures.js";
import { isShown, STATES, Tile } from "./tile.js";
import { t } from "./texts.js";
import { setServerTime } from "./time.js";
import { Alarm, Filter, setUpFullScreen } from "./wall_tools.js";

const byId = (id) => document.getElementById(id);
const REFRESH_MS = 1000;
const RENEW_SILENCES_MS = 30_000;
const SILENCES_PAGE = 200;

class Wall {
  constructor(data) {
    this.tiles = new Map();
    this.early = new Map(); // incidents whose monitor is not known yet
    this.changed = new Set();
    this.template = byId("tile");
    this.silences = new Silences(data.silences);
    this.pictures = new Pictures((picture) => this.byCanvas.get(picture.canvas)?.showPicture());
    this.byCanvas = new Map();
    this.alarm = new Alarm(byId("sound"), byId("sound-blocked"));
    this.filter = new Filter(() => this.arrange());
    for (const incident of data.incidents) this.early.set(incident.incident_id, incident);
    for (const monitor of data.monitors) this.setMonitor(monitor);
    byId("wall-loading").hidden = true;
    this.draw();
    setInterval(() => this.refreshAll(), REFRESH_MS);
    listen(data.position, {
      monitor: (monitor) => this.later(() => this.setMonitor(monitor)),
      incident: (incident) => this.later(() => this.setIncident(incident)),
      stays: () => this.alarm.isOn,
    });
  }

  /** Collects what comes in one go: one drawing for all of it. */
  later(change) {
    this.pending ??= (setTimeout(() => this.applyPending(), 100), []);
    this.pending.push(change);
  }

  applyPending() {
    const changes = this.pending;
    this.pending = null;
    for (const change of changes) change();
    this.draw();
  }

  setMonitor(monitor) {
    const known = this.tiles.get(monitor.monitor_id);
    if (!isShown(monitor)) {
      if (known) this.remove(known);
      return;
    }
    if (known) known.update(monitor);
    const tile = known ?? this.add(monitor);
    this.changed.add(tile);
  }

  add(monitor) {
    const tile = new Tile(monitor, this.template, this.pictures, this.silences);
    this.tiles.set(monitor.monitor_id, tile);
    this.byCanvas.set(tile.picture.canvas, tile);
    for (const incident of this.early.values()) {
      if (incident.monitor_id === monitor.monitor_id) {
        tile.setIncident(incident);
        this.early.delete(incident.incident_id);
      }
    }
    return tile;
  }

  remove(tile) {
    this.pictures.remove(tile.picture);
    this.byCanvas.delete(tile.picture.canvas);
    this.tiles.delete(tile.monitor.monitor_id);
    this.changed.delete(tile);
    tile.element.remove();
    this.isArranged = false;
  }

  setIncident(incident) {
    const tile = this.tiles.get(incident.monitor_id);
    if (!tile) {
      if (incident.status === "open") this.early.set(incident.incident_id, incident);
      else this.early.delete(incident.incident_id);
      return;
    }
    const isNew = incident.status === "open" && !tile.incidents.has(incident.incident_id);
    tile.setIncident(incident);
    this.changed.add(tile);
    if (isNew && !incident.silenced) this.announce(tile, incident);
  }

  announce(tile, incident) {
    const line = document.createElement("p");
    line.textContent = t("wall.script.opened", { name: tile.name, what: t(`kind.${incident.kind}`) });
    byId("announcements").replaceChildren(line);
    if (incident.severity === "critical" && tile.matches(this.filter.wanted)) this.alarm.sound();
  }

  draw() {
    let isElsewhere = !this.isArranged;
    for (const tile of this.changed) isElsewhere = tile.refresh() || isElsewhere;
    this.changed.clear();
    if (isElsewhere) this.arrange();
  }

  /** Time alone changes ages, and what has not been heard of for too long. */
  refreshAll() {
    if (document.hidden) return;
    for (const tile of this.tiles.values()) this.changed.add(tile);
    this.draw();
  }

  arrange() {
    this.isArranged = true;
    const all = [...this.tiles.values()];
    this.filter.offer(all.map((tile) => tile.monitor.labels));
    const shown = all.filter((tile) => tile.matches(this.filter.wanted)).sort(inOrder);
    place(byId("attention"), shown.filter((tile) => tile.verdict.needsAttention));
    place(byId("others"), shown.filter((tile) => !tile.verdict.needsAttention));
    byId("others-title").hidden = byId("attention").hidden;
    byId("wall-empty").hidden = all.length > 0;
    byId("wall-none").hidden = all.length === 0 || shown.length > 0;
    showCounts(shown);
  }
}

function inOrder(a, b) {
  return (
    Number(a.verdict.isMuted) - Number(b.verdict.isMuted) ||
    STATES.indexOf(a.verdict.state) - STATES.indexOf(b.verdict.state) ||
    a.name.localeCompare(b.name, document.documentElement.lang, { numeric: true }) ||
    (a.monitor.monitor_id < b.monitor.monitor_id ? -1 : 1)
  );
}

/** Puts the tiles into a section in this order, moving only those that are elsewhere. */
function place(section, tiles) {
  const list = section.querySelector("ul");
  const wanted = new Set(tiles.map((tile) => tile.element));
  for (const element of [...list.children]) if (!wanted.has(element)) element.remove();
  let next = list.firstElementChild;
  for (const { element } of tiles) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
  section.hidden = tiles.length === 0;
}

function showCounts(tiles) {
  const counts = STATES.map((state) => [state, tiles.filter((tile) => tile.verdict.state === state).length]);
  const parts = counts.filter(([, n]) => n > 0).map(([state, n]) => count(state, n));
  const words = parts.map((part) => part.textContent).join(" ");
  if (byId("counts").textContent.trim() !== words) byId("counts").replaceChildren(...parts.flatMap((part) => [part, " "]));
}

function count(state, n) {
  const part = document.createElement("span");
  part.dataset.state = state;
  part.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#icon-${state}"></use></svg>`;
  part.append(t(`wall.script.count.${state}`, { n }));
  return part;
}

// Where nobody is told of an incident, the wall is calm, too.
class Silences {
  constructor(known) {
    this.known = known;
    setInterval(() => this.renew(), RENEW_SILENCES_MS);
  }

  async renew() {
    if (document.hidden) return;
    try {
      this.known = await allSilences();
    } catch {
      // The connection's state says so.
    }
  }

  /** Returns whether incidents of this kind of a monitor are silenced at a moment. */
  hold(monitor, kind, nowMs) {
    return this.known.some((one) =>
      Date.parse(one.starts_at) <= nowMs && nowMs < Date.parse(one.ends_at) &&
      (one.kinds?.includes(kind) ?? true) && isAbout(one, monitor));
  }
}

async function allSilences() {
  const found = [];
  let total = 1;
  while (found.length < total) {
    const page = await call("GET", `/api/v1/silences?limit=${SILENCES_PAGE}&offset=${found.length}`);
    if (!page.silences.length) break; // some have ended meanwhile
    found.push(...page.silences);
    total = page.pagination.total;
  }
  return found;
}

function isAbout(silence, monitor) {
  if (silence.monitor_ids) return silence.monitor_ids.includes(monitor.monitor_id);
  return Object.entries(silence.labels ?? {}).every(([key, value]) => monitor.labels[key] === value);
}

const data = JSON.parse(byId("data").textContent);
setServerTime(data.now);
new Wall(data);
setUpFullScreen(byId("full-screen"));
document.body.dataset.ready = "true";
