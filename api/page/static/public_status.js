// A status page: local times, and what is true now once a minute.

import { localize } from "./time.js";

const EVERY_MS = 60_000;

async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.getElementById("content");
    if (main.contains(document.activeElement) && document.activeElement !== main) return;
    main.replaceChildren(...document.importNode(fresh.getElementById("content"), true).childNodes);
    document.title = fresh.title;
    localize();
  } catch {
    // The page says from when it is.
  }
}

localize();
setInterval(renew, EVERY_MS);
