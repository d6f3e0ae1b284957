// The latest pictures of the tiles that are seen, within a bound of memory and of requests.
//
// A picture is scaled to its tile while it is decoded, drawn, and let go when its tile leaves the
// screen: 200 whole pictures would be 700 MB.

const AT_ONCE = 4;
const LEAST_PACE_MS = 10_000; // streams send no more either
const PACE_PER_PICTURE_MS = 700; // however many are seen: a gateway has many walls
const AFTER_FAILURE_MS = 15_000;
const MOST_BYTES = 48 * 1024 * 1024;
const WIDEST = 640;

export class Pictures {
  /** @param {Function} changed called with a picture whenever what it shows has changed */
  constructor(changed) {
    this.changed = changed;
    this.all = new Map();
    this.loading = 0;
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "120px" });
    setInterval(() => this.loadDue(), 500);
  }

  add(id, canvas) {
    const picture = { id, canvas, at: null, shownAt: null, askedMs: -Infinity, isSeen: false, isUrgent: false, isLoading: false, hasFailed: false };
    this.all.set(canvas, picture);
    this.observer.observe(canvas);
    return picture;
  }

  remove(picture) {
    this.observer.unobserve(picture.canvas);
    this.all.delete(picture.canvas);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const picture = this.all.get(target);
      if (!picture) continue;
      picture.isSeen = isIntersecting;
      if (isIntersecting) picture.askedMs = Math.min(picture.askedMs, performance.now() - LEAST_PACE_MS);
      else this.clear(picture);
    }
    this.loadDue();
  }

  clear(picture) {
    if (picture.shownAt === null) return;
    picture.shownAt = null;
    picture.askedMs = -Infinity;
    picture.canvas.width = 16;
    picture.canvas.height = 9;
  }

  loadDue() {
    if (document.hidden) return;
    const seen = [...this.all.values()].filter((one) => one.isSeen && one.at !== null);
    const paceMs = Math.max(LEAST_PACE_MS, seen.length * PACE_PER_PICTURE_MS);
    const startedMs = performance.now();
    const due = seen.filter((one) => !one.isLoading && one.shownAt !== one.at && isDue(one, startedMs, paceMs));
    due.sort((a, b) => Number(b.isUrgent) - Number(a.isUrgent) || a.askedMs - b.askedMs);
    for (const one of due.slice(0, AT_ONCE - this.loading)) this.load(one);
  }

  async load(picture) {
    picture.isLoading = true;
    picture.askedMs = performance.now();
    this.loading += 1;
    const at = picture.at;
    try {
      await this.draw(picture, await fetched(picture.id));
      picture.shownAt = at;
      picture.hasFailed = false;
    } catch {
      picture.hasFailed = true;
    }
    picture.isLoading = false;
    this.loading -= 1;
    if (!picture.isSeen) this.clear(picture);
    this.changed(picture);
    if (picture.shownAt === null || this.loading === 0) this.loadDue();
  }

  async draw(picture, blob) {
    const { canvas } = picture;
    const wanted = Math.round(canvas.clientWidth * Math.min(devicePixelRatio, 2)) || 320;
    const width = Math.min(WIDEST, wanted, this.affordableWidth());
    const bitmap = await createImageBitmap(blob, { resizeWidth: width, resizeQuality: "medium" });
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    bitmap.close();
  }

  /** Returns how wide each of the pictures that are seen may be, at four bytes a pixel. */
  affordableWidth() {
    const count = Math.max(1, [...this.all.values()].filter((one) => one.isSeen).length);
    return Math.floor(Math.sqrt((MOST_BYTES / count / 4) * (16 / 9)));
  }
}

function isDue(picture, nowMs, paceMs) {
  const sinceMs = nowMs - picture.askedMs;
  if (picture.hasFailed) return sinceMs >= AFTER_FAILURE_MS;
  if (picture.shownAt === null) return true;
  return sinceMs >= (picture.isUrgent ? LEAST_PACE_MS : paceMs);
}

async function fetched(id) {
  const answer = await fetch(`/api/v1/monitors/${id}/picture.jpg`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.blob();
}
