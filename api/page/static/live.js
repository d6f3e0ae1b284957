// The stream of changes, and how sure the page is of what it shows.
//
// EventSource connects again by itself, but neither notices a connection that is silently dead nor
// comes back after an answer such as 503, so this does.

import { askToLogIn } from "./api.js";
import { ago, now } from "./time.js";
import { t } from "./texts.js";

const SILENT_MS = 25_000; // the server says something every 10 s
const STALE_MS = 5_000;
const LONGEST_WAIT_MS = 15_000;
const HIDDEN_MS = 60_000; // a browser has six connections for all tabs

/**
 * Listens to changes.
 *
 * @param {number|null} position number of the change after which to listen; null: from now on
 * @param {{monitor?: Function, incident?: Function, stays?: Function}} handlers of changed items;
 *   `stays` says whether to listen on while nobody sees the page
 */
export function listen(position, handlers) {
  return new Connection(position, handlers);
}

class Connection {
  constructor(position, handlers) {
    this.position = position;
    this.handlers = handlers;
    this.source = null;
    this.lostAt = null;
    this.heardAt = Date.now();
    this.waitMs = 1000;
    this.retry = null;
    this.show("connecting");
    this.open();
    setInterval(() => this.watch(), 1000);
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
  }

  open() {
    clearTimeout(this.retry);
    this.source?.close();
    const after = this.position === null ? "" : `?after=${this.position}`;
    this.source = new EventSource(`/api/v1/changes${after}`);
    this.heardAt = Date.now();
    this.source.addEventListener("ready", (event) => this.hear(event));
    this.source.addEventListener("alive", (event) => this.hear(event));
    for (const kind of ["monitor", "incident"]) {
      this.source.addEventListener(kind, (event) => {
        this.hear(event);
        this.handlers[kind]?.(JSON.parse(event.data));
      });
    }
    this.source.addEventListener("error", () => this.failed());
  }

  hear(event) {
    this.position = Number(event.lastEventId);
    this.heardAt = Date.now();
    this.waitMs = 1000;
    if (this.state !== "live") this.show("live");
  }

  failed() {
    this.lose();
    this.source.close();
    this.retry = setTimeout(() => this.open(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
    checkSession();
  }

  lose() {
    this.lostAt ??= now();
    if (this.state === "live") this.show("connecting");
  }

  watch() {
    if (this.source?.readyState !== EventSource.CLOSED && Date.now() - this.heardAt > SILENT_MS) {
      this.failed();
    }
    if (this.lostAt !== null && now() - this.lostAt > STALE_MS) this.show("lost");
  }

  /** Says it: in words, and by greying what may be old. */
  show(state) {
    const was = this.state;
    this.state = state;
    const label = document.getElementById("connection");
    label.dataset.state = state;
    const words = { live: "live", connecting: was ? "reconnecting" : "connecting", lost: "reconnecting" };
    setText(label, t(`script.${words[state]}`));
    document.body.classList.toggle("stale", state === "lost");
    const banner = document.getElementById("banner");
    if (state === "lost") setText(banner, t("script.lost", { ago: ago(this.lostAt) }));
    banner.hidden = state !== "lost";
    if (state === "live") this.lostAt = null;
  }

  visibilityChanged() {
    clearTimeout(this.hiding);
    if (!document.hidden) {
      if (this.source.readyState !== EventSource.CLOSED) return;
      this.lose();
      this.open();
    } else if (!this.handlers.stays?.()) {
      this.hiding = setTimeout(() => this.source.close(), HIDDEN_MS);
    }
  }
}

async function checkSession() {
  try {
    const answer = await fetch("/session");
    if (answer.status === 401) askToLogIn();
  } catch {
    // cannot be reached: the banner says so
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
