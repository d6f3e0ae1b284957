// What state a monitor is in, as its tile shows it.

import { t, textOf } from "./texts.js";

const ACTIVE = new Set(["scheduled", "initializing", "waiting", "monitoring"]);
const CRITICAL = new Set(["blackout", "silence", "freeze", "suspended", "segment_error"]);
const SILENT_MS = 150_000; // reports come at least once a minute

/** In the order in which tiles come. */
export const STATES = ["error", "warning", "unknown", "ok", "inactive"];

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
export function judge(monitor, incidents, nowMs, silences) {
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
