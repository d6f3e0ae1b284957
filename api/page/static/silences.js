// The form of a new silence: only what belongs to the choices is shown and sent.

import { connectForms } from "./forms.js";
import { t } from "./texts.js";

const form = document.getElementById("new-silence");

function choose(name, value) {
  for (const part of form.querySelectorAll(`[data-${name}]`)) {
    part.hidden = part.dataset[name] !== value;
    // What is hidden is not sent.
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = part.hidden;
  }
  if (name === "subject") document.getElementById("all").checked = value === "all";
}

for (const radio of form?.querySelectorAll("input[type=radio]") ?? []) {
  radio.addEventListener("change", () => choose(radio.name, radio.value));
}

const find = document.getElementById("find");
find?.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  for (const label of document.querySelectorAll("#monitor_ids label")) {
    label.hidden = !label.textContent.toLowerCase().includes(wanted) && !label.control.checked;
  }
});

if (form) {
  // A planned silence begins at the next full hour, for an hour.
  const begin = new Date();
  begin.setHours(begin.getHours() + 1, 0, 0, 0);
  const local = (moment) => {
    const zone = moment.getTimezoneOffset() * 60_000;
    return new Date(moment - zone).toISOString().slice(0, 16);
  };
  document.getElementById("starts_at").value = local(begin);
  document.getElementById("ends_at").value = local(new Date(begin.getTime() + 3_600_000));
  choose("subject", "monitors");
  choose("when", "now");
  form.addEventListener("submit", (event) => {
    const boxes = document.getElementById("monitor_ids");
    const problem = document.getElementById("monitor_ids-problem");
    const isNone = !boxes.closest("[hidden]") && !boxes.querySelector("input:checked");
    problem.hidden = !isNone;
    if (!isNone) return;
    problem.textContent = t("silence.script.none_chosen");
    event.preventDefault();
    event.stopImmediatePropagation(); // nothing is sent
    boxes.focus();
  });
}
connectForms(document);
