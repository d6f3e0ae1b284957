// What a strip of coverage draws: pure functions from intervals to pixels.

const SOUND = new Set(["silence", "channel_loss", "loudness", "clipping", "phase"]);
const BOTH = new Set(["suspended", "segment_error", "rendition", "test_signal"]);

// A short fault is seen among hours of good media: of what shares a pixel, the last here wins.
export const CONDITIONS = ["ok", "not_live", "unwatched", "unknown", "faulty"];
const FAULTY = CONDITIONS.indexOf("faulty");
const LEAST_FAULT_PX = 3;

const STEPS_SEC = [5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 604800];
const TICK_PX = 72;

/** Return the kinds of an interval's faults that one lane shows. */
export function kindsOf(lane, kinds) {
  return kinds.filter((kind) => BOTH.has(kind) || SOUND.has(kind) === (lane === "audio"));
}

/** Return the condition that one lane shows of an interval of both. */
export function conditionOf(lane, interval) {
  if (interval.condition !== "faulty") return interval.condition;
  return kindsOf(lane, interval.kinds).length ? "faulty" : "ok";
}

/**
 * Return the runs of pixels of one condition that a lane shows.
 *
 * Intervals have `from` and `to` in milliseconds, in order. What nobody knows is in no run.
 */
export function runs(lane, intervals, view, width) {
  const worst = new Int8Array(width).fill(-1);
  const scale = width / (view.to - view.from);
  for (const interval of intervals) {
    if (interval.to <= view.from || interval.from >= view.to) continue;
    const rank = CONDITIONS.indexOf(conditionOf(lane, interval));
    const first = Math.max(0, Math.floor((interval.from - view.from) * scale));
    const least = first + (rank === FAULTY ? LEAST_FAULT_PX : 1);
    const end = Math.min(width, Math.max(least, Math.round((interval.to - view.from) * scale)));
    for (let x = first; x < end; x += 1) if (worst[x] < rank) worst[x] = rank;
  }
  return joined(worst);
}

function joined(worst) {
  const found = [];
  for (let x = 0; x < worst.length; ) {
    let end = x + 1;
    while (end < worst.length && worst[end] === worst[x]) end += 1;
    if (worst[x] >= 0) found.push({ x, width: end - x, condition: CONDITIONS[worst[x]] });
    x = end;
  }
  return found;
}

/** Return the moments that an axis names, whole in the viewer's zone. */
export function ticks(view, width) {
  const span_sec = (view.to - view.from) / 1000;
  const most = Math.max(2, Math.floor(width / TICK_PX));
  const step = STEPS_SEC.find((each) => span_sec / each <= most) ?? STEPS_SEC.at(-1);
  const offset_sec = -new Date(view.from).getTimezoneOffset() * 60;
  const first = Math.ceil((view.from / 1000 + offset_sec) / step) * step - offset_sec;
  const found = [];
  for (let at = first; at * 1000 <= view.to; at += step) found.push(at * 1000);
  return { moments: found, step_sec: step };
}

/** Return seconds by condition and lane, for a sentence on what is drawn. */
export function totals(lane, intervals, view) {
  const found = Object.fromEntries(CONDITIONS.map((each) => [each, 0]));
  for (const interval of intervals) {
    const ms = Math.min(interval.to, view.to) - Math.max(interval.from, view.from);
    if (ms > 0) found[conditionOf(lane, interval)] += ms / 1000;
  }
  return found;
}

/** Join incidents that lie too close to be told apart; each mark has a first and a number. */
export function marks(incidents, view, width, apart = 10) {
  const scale = width / (view.to - view.from);
  const found = [];
  for (const incident of [...incidents].sort((a, b) => a.at - b.at)) {
    if (incident.at < view.from || incident.at > view.to) continue;
    const x = Math.round((incident.at - view.from) * scale);
    const last = found.at(-1);
    if (last && x - last.x < apart) last.incidents.push(incident);
    else found.push({ x, incidents: [incident] });
  }
  return found;
}
