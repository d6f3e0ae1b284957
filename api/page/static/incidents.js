// The page of incidents: it stays current, and its dialogs are about the card they were opened from.

import { connectForms } from "./forms.js";
import { listen } from "./live.js";
import { notify } from "./notices.js";
import { Renewal } from "./renewal.js";
import { t, textOf } from "./texts.js";
import { duration, now } from "./time.js";

const TICK_MS = 1000;

const list = document.getElementById("incidents");
const renewal = new Renewal(list, tick);
let opened = null;

// How long open incidents last.
function tick() {
  for (const each of list.querySelectorAll("time[data-since]")) {
    each.textContent = duration((now() - Date.parse(each.dataset.since)) / 1000);
  }
}

function aim(actions) {
  const { incident, monitor, kind } = actions.dataset;
  opened = incident;
  document.getElementById("acknowledge-form").dataset.api = `/api/v1/incidents/${incident}/acknowledge`;
  document.getElementById("note").value = "";
  document.getElementById("monitor_ids").value = monitor;
  const box = document.getElementById("silence-kind");
  box.value = kind;
  box.checked = false;
  const text = t("incidents.script.only", { kind: textOf("kind", kind) });
  document.getElementById("silence-kind-text").textContent = text;
}

// Before the button opens its dialog.
list.addEventListener("click", (event) => {
  const actions = event.target.closest("button[data-opens]")?.closest("[data-incident]");
  if (actions) aim(actions);
});

function done() {
  const dialog = document.querySelector("dialog[open]");
  if (dialog) notify(t(`incidents.script.done.${dialog.id}`));
  dialog?.close();
  // What was done is shown at once: neither the focus nor a clip that was played keeps its card.
  document.activeElement?.blur();
  for (const video of document.getElementById(opened)?.querySelectorAll("video") ?? []) {
    video.replaceWith(video.cloneNode(true)); // as if nobody had played it
  }
  renewal.now().then(() => document.getElementById(opened)?.focus());
}

tick();
setInterval(tick, TICK_MS);
connectForms(document, done);
listen(null, { incident: () => renewal.soon() });
