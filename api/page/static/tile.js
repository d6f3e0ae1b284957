// One tile of the wall, and what state its monitor is in. It writes to the document only what has changed.

import { ago, duration, now } from "./time.js";
import { t, textOf } from "./texts.js";

const ACTIVE = new Set(["scheduled", "initializing", "waiting", "monitoring"]);
const CRITICAL = new Set(["blackout", "silence", "freeze", "suspended", "segment_error"]);
const SILENT_MS = 150_000; // reports come at least once a minute
const STALE_PICTURE_MS = 120_000; // a picture comes once a minute even when nobody looks
const LOWEST_DB = -60;
const MOST_CHANNELS = 8;

/** In the order in which tiles come. */
export const STATES = ["error", "warning", "unknown", "ok", "inactive"];

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

/** Returns whether a monitor belongs on the wall. */
export function isShown(monitor) {
  return ACTIVE.has(monitor.status) || monitor.status === "error";
}

/**
 * Returns {state, words, since, needsAttention, isMuted}.
 *
 * `since` is when it began, in milliseconds, null where that is not known. `isMuted`: somebody
 * takes care of it already, or it is silenced.
 */
function judge(monitor, incidents, nowMs, silences) {
  if (monitor.status === "error") return attention("error", t("status.error"));
  const open = incidents.length ? incidents : (monitor.open_incidents ?? []).map(reported);
  if (open.length) return ofIncidents(open, (one) => silences.hold(monitor, one.kind, nowMs));
  if (monitor.status !== "monitoring") return calm("inactive", textOf("status", monitor.status));
  const heardAt = Date.parse(monitor.as_of);
  if (nowMs - heardAt > SILENT_MS) {
    return attention("unknown", t("wall.script.not_seen"), heardAt);
  }
  return ofHealth(monitor.health);
}

/** What a report tells of an incident whose own news has not come yet. */
function reported(kind) {
  return { kind, severity: CRITICAL.has(kind) ? "critical" : "warning" };
}

function ofIncidents(open, isSilenced) {
  const worst = open.filter((one) => one.severity === "critical");
  const told = worst.length ? worst : open;
  const since = Math.min(...told.map((one) => Date.parse(one.started_at)));
  const isMuted = open.every((one) => one.acknowledged_at || isSilenced(one));
  const words = [...new Set(told.map((one) => textOf("kind", one.kind)))].join(" · ");
  const state = worst.length ? "error" : "warning";
  return { ...attention(state, words, Number.isNaN(since) ? null : since), isMuted };
}

function ofHealth(health) {
  for (const part of ["video", "audio"]) {
    if (health[part] === "warning") return calm("warning", t(`wall.script.fault.${part}`));
  }
  const isKnown = health.video !== "unknown" || health.audio !== "unknown";
  return isKnown ? calm("ok", t("state.ok")) : calm("unknown", t("state.unknown"));
}

function attention(state, words, since = null) {
  return { state, words, since, needsAttention: true, isMuted: false };
}

function calm(state, words) {
  return { state, words, since: null, needsAttention: false, isMuted: false };
}

// Meters of sound, one bar a channel, from -60 dBFS to 0: null or empty shows none.
function showLevels(element, channels) {
  const shown = (channels ?? []).slice(0, MOST_CHANNELS);
  while (element.children.length > shown.length) element.lastElementChild.remove();
  while (element.children.length < shown.length) element.append(newMeter());
  shown.forEach((db, index) => {
    const covered = Math.min(1, Math.max(0, db / LOWEST_DB));
    element.children[index].firstElementChild.style.transform = `scaleY(${covered.toFixed(3)})`;
  });
}

function newMeter() {
  const meter = document.createElement("span");
  meter.className = "meter";
  meter.append(document.createElement("i"));
  return meter;
}
