// Short messages in the corner, which screen readers say.

import { t } from "./texts.js";

const GONE_AFTER_MS = 8000;
const MOST = 4;

/** Shows a text; `state` is ok, warning or error. An error stays until it is closed. */
export function notify(text, state = "ok") {
  const list = document.getElementById("notices");
  const notice = document.createElement("div");
  notice.className = "notice";
  notice.dataset.state = state;
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet";
  close.textContent = t("script.close");
  close.addEventListener("click", () => notice.remove());
  notice.append(words, close);
  list.append(notice);
  while (list.children.length > MOST) list.firstElementChild.remove();
  if (state !== "error") setTimeout(() => notice.remove(), GONE_AFTER_MS);
}
