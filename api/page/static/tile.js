// One tile of the wall. It writes to the document only what has changed.

import { judge } from "./states.js";
import { showLevels } from "./meters.js";
import { ago, duration, now } from "./time.js";
import { t } from "./texts.js";

const STALE_PICTURE_MS = 120_000; // a picture comes once a minute even when nobody looks

export class Tile {
  constructor(monitor, template, pictures, silences) {
    this.silences = silences;
    this.element = template.content.firstElementChild.cloneNode(true);
    const find = (name) => this.element.querySelector(name);
    this.parts = {
      use: find("use"), words: find(".tile-words"), since: find(".tile-since"), note: find(".tile-note"),
      levels: find(".tile-levels"), name: find(".tile-name"), more: find(".tile-more"),
    };
    find("a").href = `/monitors/${monitor.monitor_id}`;
    this.element.dataset.id = monitor.monitor_id;
    this.incidents = new Map();
    this.picture = pictures.add(monitor.monitor_id, find("canvas"));
    this.update(monitor);
  }

  get name() {
    return this.monitor.name ?? this.monitor.title ?? this.monitor.stream_url;
  }

  update(monitor) {
    this.monitor = monitor;
    this.picture.at = monitor.picture_at ?? null;
    this.searchable = [monitor.name, monitor.title, monitor.stream_url, ...Object.values(monitor.labels)]
      .filter(Boolean).join("\n").toLowerCase();
    write(this.parts.name, this.name);
    write(this.parts.more, Object.values(monitor.labels).join(" · "));
    this.parts.name.title = this.name;
  }

  setIncident(incident) {
    if (incident.status === "open") this.incidents.set(incident.incident_id, incident);
    else this.incidents.delete(incident.incident_id);
  }

  /** Judges the state now; returns whether it belongs elsewhere on the wall than before. */
  refresh() {
    const before = this.verdict;
    this.verdict = judge(this.monitor, [...this.incidents.values()], now(), this.silences);
    const { state, words, isMuted, needsAttention } = this.verdict;
    this.picture.isUrgent = needsAttention;
    set(this.element, "state", state);
    set(this.element, "muted", String(isMuted));
    const icon = `#icon-${state}`;
    if (this.parts.use.getAttribute("href") !== icon) this.parts.use.setAttribute("href", icon);
    write(this.parts.words, isMuted ? `${words} · ${this.mutedWords()}` : words);
    this.showTime();
    this.showPicture();
    showLevels(this.parts.levels, state === "inactive" ? null : this.monitor.levels?.channels_dbfs);
    return !before || before.state !== state || before.needsAttention !== needsAttention || before.isMuted !== isMuted;
  }

  mutedWords() {
    const isAcknowledged = [...this.incidents.values()].some((one) => one.acknowledged_at);
    return t(isAcknowledged ? "wall.script.acknowledged" : "wall.script.silenced");
  }

  showTime() {
    const { state, since } = this.verdict;
    if (since === null) write(this.parts.since, "");
    else write(this.parts.since, state === "unknown" ? ago(since) : duration((now() - since) / 1000));
  }

  showPicture() {
    const { at, shownAt, hasFailed } = this.picture;
    const isInactive = this.verdict.state === "inactive";
    const isStale = at !== null && now() - Date.parse(at) > STALE_PICTURE_MS && !isInactive;
    const condition = shownAt === null ? "none" : isStale ? "stale" : "fresh";
    set(this.element, "picture", condition);
    let note = "";
    if (hasFailed && condition === "none") note = t("wall.script.picture_failed");
    else if (at === null) note = t(isInactive ? "wall.script.no_picture.inactive" : "wall.script.no_picture");
    else if (condition === "stale") note = t("wall.script.picture_age", { ago: ago(Date.parse(at)) });
    write(this.parts.note, note);
  }

  matches({ text, label }) {
    const labels = Object.entries(this.monitor.labels).map(([key, value]) => `${key}:${value}`);
    if (label && !labels.includes(label)) return false;
    return !text || this.searchable.includes(text) || labels.some((one) => one.toLowerCase() === text);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
