// A signal of sound when something breaks, made by the browser; off until somebody wants it.

const KEY = "stream-tracker.alarm";
const TONES = [[880, 0], [660, 0.18], [880, 0.36]];
const TONE_SEC = 0.15;
const VOLUME = 0.25;

export class Alarm {
  /** @param {HTMLElement} button the switch @param {HTMLElement} blocked said when the browser keeps it quiet */
  constructor(button, blocked) {
    this.button = button;
    this.blocked = blocked;
    this.context = null;
    button.addEventListener("click", () => this.clicked());
    this.set(stored() === "on");
    if (this.isOn) this.prepare();
  }

  set(isOn) {
    this.isOn = isOn;
    this.button.setAttribute("aria-pressed", String(isOn));
    if (!isOn) this.blocked.hidden = true;
  }

  async clicked() {
    const isBlocked = this.isOn && this.context?.state === "suspended";
    this.set(isBlocked || !this.isOn);
    store(this.isOn ? "on" : "off");
    if (!this.isOn) return;
    await this.prepare();
    this.sound();
  }

  async prepare() {
    this.context ??= new AudioContext();
    // Resuming waits for a click where there was none.
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 300))]);
    this.blocked.hidden = this.context.state !== "suspended";
  }

  sound() {
    if (!this.isOn || this.context?.state !== "running") return;
    for (const [frequency, afterSec] of TONES) {
      const begin = this.context.currentTime + afterSec;
      const gain = new GainNode(this.context, { gain: 0 });
      gain.gain.linearRampToValueAtTime(VOLUME, begin + 0.02);
      gain.gain.setValueAtTime(VOLUME, begin + TONE_SEC - 0.03);
      gain.gain.linearRampToValueAtTime(0, begin + TONE_SEC);
      const tone = new OscillatorNode(this.context, { type: "triangle", frequency });
      tone.connect(gain).connect(this.context.destination);
      tone.start(begin);
      tone.stop(begin + TONE_SEC);
    }
    this.button.dataset.sounded = String(Number(this.button.dataset.sounded ?? 0) + 1);
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // the browser keeps nothing
  }
}

function store(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // as above: the switch is on until the page is closed
  }
}
