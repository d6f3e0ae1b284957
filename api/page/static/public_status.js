// A status page: local times, and what is true now once a minute.

import { duration, localize } from "./time.js";

const EVERY_MS = 60_000;

function dress() {
  localize();
  for (const each of document.querySelectorAll("[data-seconds]")) {
    each.textContent = duration(Number(each.dataset.seconds));
  }
}

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
    dress();
  } catch {
    // The page says from when it is.
  }
}

dress();
setInterval(renew, EVERY_MS);
