// The silences that hold: where nobody is told of an incident, the wall is calm, too.

import { call } from "./api.js";

const RENEW_MS = 30_000;
const PAGE = 200;

export class Silences {
  constructor(known) {
    this.known = known;
    setInterval(() => this.renew(), RENEW_MS);
  }

  async renew() {
    if (document.hidden) return;
    try {
      this.known = await all();
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

async function all() {
  const found = [];
  let total = 1;
  while (found.length < total) {
    const page = await call("GET", `/api/v1/silences?limit=${PAGE}&offset=${found.length}`);
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
