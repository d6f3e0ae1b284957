// The latest picture of a stream, and how old it is.

import { localize } from "./time.js";

const RENEW_MS = 10_000;

export class LivePicture {
  constructor(figure) {
    this.figure = figure;
    this.image = figure.querySelector("img");
    this.time = figure.querySelector("time");
    /** Settles when it is known for the first time whether there is a picture. */
    this.loaded = this.renew();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.renew(); });
  }

  // Asking says that somebody looks: the next picture comes sooner.
  async renew() {
    clearTimeout(this.timer);
    if (!document.hidden && !this.isAsking) {
      this.isAsking = true;
      await this.load().catch(() => {}); // the one that is shown says its age
      this.isAsking = false;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), RENEW_MS);
  }

  async load() {
    const answer = await fetch(this.figure.dataset.source);
    if (answer.status === 404) this.figure.dataset.state = "none";
    if (!answer.ok) return;
    const takenAt = answer.headers.get("Last-Modified");
    if (takenAt === this.takenAt) return;
    const url = URL.createObjectURL(await answer.blob());
    this.image.src = url;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
    this.takenAt = takenAt;
    this.figure.dataset.state = "shown";
    if (takenAt) this.time.dateTime = new Date(takenAt).toISOString();
    localize(this.figure);
  }
}
