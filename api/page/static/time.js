// Moments in the viewer's zone, ages and durations in the page's language.

import { t } from "./texts.js";

const language = document.documentElement.lang;

/** The viewer's way to write the page's language: en-GB has other dates than en-US. */
export const locale = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;

const FORMATS = {
  moment: { dateStyle: "medium", timeStyle: "medium" },
  date: { dateStyle: "medium" },
  clock: { timeStyle: "medium" },
  near: { hour: "2-digit", minute: "2-digit" },
  far: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
};
const DAY_MS = 86_400_000;
const formatters = new Map();

/** Milliseconds that the server's clock is ahead of this one. */
let aheadMs = 0;

/** Takes the server's time, as it was when the document was made. */
export function setServerTime(iso) {
  aheadMs = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + aheadMs;
}

export function format(iso, kind = "moment") {
  if (kind === "ago") return ago(Date.parse(iso));
  if (kind === "soon") return format(iso, Date.parse(iso) - now() < DAY_MS ? "near" : "far");
  if (!formatters.has(kind)) formatters.set(kind, new Intl.DateTimeFormat(locale, FORMATS[kind]));
  return formatters.get(kind).format(new Date(iso));
}

/** Returns how long ago that was, coarsely. */
export function ago(ms) {
  const sec = Math.max(0, Math.round((now() - ms) / 1000));
  if (sec < 3) return t("script.now");
  if (sec < 90) return t("script.sec_ago", { n: sec });
  if (sec < 90 * 60) return t("script.min_ago", { n: Math.round(sec / 60) });
  if (sec < 36 * 3600) return t("script.hours_ago", { n: Math.round(sec / 3600) });
  return t("script.days_ago", { n: Math.round(sec / 86400) });
}

export function duration(sec) {
  const s = Math.max(0, Math.floor(sec));
  if (s < 60) return t("script.seconds", { s });
  if (s < 3600) return t("script.minutes", { m: Math.floor(s / 60), s: s % 60 });
  if (s < 86400) return t("script.hours", { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  return t("script.days", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

/** Writes all <time datetime data-format> below `root` in the viewer's zone, and all `data-seconds`. */
export function localize(root = document) {
  for (const each of root.querySelectorAll("[data-seconds]")) each.textContent = duration(Number(each.dataset.seconds));
  for (const each of root.querySelectorAll("time[datetime]")) {
    const text = format(each.dateTime, each.dataset.format);
    if (each.textContent !== text) each.textContent = text;
    each.title ||= format(each.dateTime);
  }
}
