// Calls of the REST API with the session of the page.

import { t } from "./texts.js";

/** What the API refused; `message` is its own, `field` the field that it begins with. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = /^([a-z]\w*(?:\.[^:]*)?): /.exec(message)?.[1] ?? null;
  }
}

/**
 * Calls the API and returns what it answers, null for nothing.
 *
 * Without a session any more it leads to the log-in. Throws Refused; its status is 0 when nothing
 * answers.
 */
export async function call(method, path, body, more = {}) {
  const headers = { "X-CSRF-Token": document.documentElement.dataset.csrf, ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, "UNREACHABLE", t("script.unreachable"));
  }
  if (answer.status === 401) {
    askToLogIn();
    throw new Refused(401, "UNAUTHORIZED", t("script.session_over"));
  }
  const type = answer.headers.get("Content-Type") ?? "";
  const found = type.includes("json") ? await answer.json() : null;
  if (!answer.ok) {
    throw new Refused(answer.status, found?.error?.code ?? "", found?.error?.message ?? t("script.unreachable"));
  }
  return found;
}

export function askToLogIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Does `work` while `button` shows that it goes on and cannot be pressed again. */
export async function whileBusy(button, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
