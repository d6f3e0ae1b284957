// Brings what the server renders up to date without touching what a person is doing.
//
// A page marks parts by `data-renew`, lists by `data-renew-list`, whose children have ids, and by
// `data-renew-hidden` what is hidden while there is nothing in it.

import { localize } from "./time.js";

const EVERY_MS = 10_000;
const LEAST_MS = 1_500;

export class Renewal {
  /** `done` is called each time that what is shown is what the server says now. */
  constructor(root, done) {
    this.root = root;
    this.done = done;
    this.shown = new WeakMap();
    this.begunAt = Date.now();
    this.timer = setTimeout(() => this.now(), EVERY_MS);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(); });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), Math.max(0, LEAST_MS - (Date.now() - this.begunAt)));
  }

  async now() {
    clearTimeout(this.timer);
    this.begunAt = Date.now();
    try {
      if (!document.hidden && (await this.load())) this.done();
    } catch {
      // Not reached, or it is over: the connection's state says so.
    } finally {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.now(), EVERY_MS);
    }
  }

  async load() {
    const answer = await fetch(location.pathname + location.search);
    if (!answer.ok || answer.redirected) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of this.root.querySelectorAll("[data-renew]")) {
      const next = fresh.getElementById(part.id);
      if (next) this.replace(part, next);
    }
    for (const part of this.root.querySelectorAll("[data-renew-hidden]")) {
      part.hidden = fresh.getElementById(part.id)?.hidden ?? part.hidden;
    }
    for (const list of this.root.querySelectorAll("[data-renew-list]")) {
      const next = fresh.getElementById(list.id);
      if (next) this.renewList(list, next);
    }
    return true;
  }

  renewList(list, fresh) {
    const known = new Map([...list.children].map((each) => [each.id, each]));
    let place = list.firstElementChild;
    for (const next of [...fresh.children]) {
      const old = known.get(next.id);
      known.delete(next.id);
      const isInPlace = old === place;
      const now = old ? this.replace(old, next) : this.imported(next);
      if (isInPlace) place = now.nextElementSibling;
      else list.insertBefore(now, place);
    }
    for (const gone of known.values()) if (!isInUse(gone)) gone.remove();
  }

  // What the server said is compared: scripts change what is shown.
  replace(old, next) {
    if (this.shown.get(old) === next.outerHTML || isInUse(old)) return old;
    const now = this.imported(next);
    old.replaceWith(now);
    return now;
  }

  imported(next) {
    const now = document.importNode(next, true);
    this.shown.set(now, next.outerHTML);
    localize(now);
    return now;
  }
}

function isInUse(element) {
  if (element.contains(document.activeElement)) return true;
  return [...element.querySelectorAll("video")].some((each) => !each.paused || each.played.length > 0);
}
