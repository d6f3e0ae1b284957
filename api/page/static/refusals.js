// What the API refused, in the words of the page. What has none here keeps the API's English.

import { t } from "./texts.js";

// Tried in this order; what a group of a pattern finds fills in {0}.
const REASONS = [
  [/^is required, unless destinations/, "no_receiver"],
  [/^must name one, the monitor has no callback_url/, "no_receiver"],
  [/^is required$|^input should be a valid (?:string|datetime)/, "required"],
  [/^input should be less than or equal to (\S+)$/, "at_most"],
  [/^input should be greater than or equal to (\S+)$/, "at_least"],
  [/^input should be greater than (\S+)$/, "more_than"],
  [/^input should be a valid (?:number|integer)/, "number"],
  [/^String should have at least 1 /, "required"],
  [/(?:at most|longer than) (\d+) (?:character|byte)/, "too_long"],
  [/^Dictionary should have at most (\d+)|^List should have at most (\d+)/, "too_many"],
  [/^List should have at least 1 |^must name at least one/, "none_chosen"],
  [/^its host cannot be resolved|private or special address/, "host"],
  [/^must (?:start with|be an) http/, "scheme"],
  [/^names no host|no valid domain name/, "no_host"],
  [/user(?: name)? or password/, "password"],
  [/^is not a URL|^contains a space, a backslash/, "no_url"],
  [/YouTube/, "youtube"],
  [/events\.pagerduty\.com/, "pagerduty"],
  [/^routing_key must be/, "routing_key"],
  [/^must be Alertmanager's base URL/, "alertmanager"],
  [/Apprise|^[a-z]+:\/\/ is not allowed|^must not ask for a local/, "apprise"],
  [/watches this stream already/, "duplicate"],
  [/is in the past$/, "past"],
  [/must be after (?:scheduled_start_time|starts_at)/, "not_after"],
  [/^is more than (?:\d+) (?:days|years)/, "too_far"],
  [/^must be 1 to 63 of a-z/, "slug"],
  [/there are (\d+) .*the maximum|^(\d+) monitors are active/, "maximum"],
  [/^there is no (?:destination|such monitor)/, "gone"],
  [/no SECRETS_KEY/, "secrets_key"],
  [/EVIDENCE_SIGNING_KEY/, "signing_key"],
  [/no name of a header|cannot be set$|is set by each request/, "header_name"],
  [/^must be printable ASCII/, "header_value"],
  [/^monitor_ids, labels, all: /, "no_labels"],
];
// Whatever is wrong with them.
const FIELDS = [
  [/^labels\..*\[key\]$/, "label_key"],
  [/^labels\./, "label_value"],
  [/^events\./, "events"],
];
const CODES = [
  "RATE_LIMIT_EXCEEDED", "ENGINE_UNAVAILABLE", "MONITOR_NOT_ACTIVE", "FORBIDDEN", "INTERNAL_ERROR",
  "MONITOR_NOT_FOUND", "DESTINATION_NOT_FOUND", "INCIDENT_NOT_FOUND", "SILENCE_NOT_FOUND",
  "STATUS_PAGE_NOT_FOUND",
];

/** Returns what is wrong, without the name of the field. */
export function reasonOf({ code, field, message }) {
  const ofField = FIELDS.find(([pattern]) => pattern.test(field ?? ""));
  if (ofField) return t(`refused.${ofField[1]}`);
  const reason = field ? message.slice(field.length + 2) : message;
  for (const [pattern, key] of REASONS) {
    // Names of headers stand before what is wrong with them.
    const found = pattern.exec(reason) ?? pattern.exec(reason.replace(/^[\w-]+: /, ""));
    if (found) return t(`refused.${key}`, [found.slice(1).find(Boolean)]);
  }
  return CODES.includes(code) ? t(`refused.code.${code}`) : reason;
}
