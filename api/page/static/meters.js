// Meters of sound, one bar a channel, from -60 dBFS to 0.

const LOWEST_DB = -60;
const MOST_CHANNELS = 8;

/** Shows the levels of channels in `element`; null or empty shows no meter. */
export function showLevels(element, channels) {
  const shown = (channels ?? []).slice(0, MOST_CHANNELS);
  while (element.children.length > shown.length) element.lastElementChild.remove();
  while (element.children.length < shown.length) element.append(newMeter());
  shown.forEach((db, index) => {
    const covered = Math.min(1, Math.max(0, db / LOWEST_DB));
    element.children[index].firstElementChild.style.transform = `scaleY(${covered.toFixed(3)})`;
  });
}

function newMeter() {
  const meter = document.createElement("span");
  meter.className = "meter";
  meter.append(document.createElement("i"));
  return meter;
}
