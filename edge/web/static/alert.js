/** After quiet, a new escalation calls: it sounds and lights up the page until somebody is there. */
import { now, on, part } from './page.js';

const QUIET_MS = 30_000;
const AGAIN_MS = 20_000;

/** Watches the counts. Nothing of it is ever under a finger. */
export class Alert {
  /** @param {() => void} sound */
  constructor(sound) {
    this.sound = sound;
    this.box = part('alert');
    /** @type {number|null} since when nothing waits; the page begins quiet */
    this.quiet = now() - QUIET_MS;
    this.first = true;
    this.called = false;
    this.at = 0;
    for (const name of ['pointerdown', 'keydown']) addEventListener(name, () => this.end(), true);
    on('counts', (known) => { if (typeof known.escalations === 'number') this.counted(known.escalations); });
    setInterval(() => this.tick(), 1000);
  }

  /** @private @param {number} waiting */
  counted(waiting) {
    if (waiting === 0) {
      this.quiet ??= now();
      this.end();
    } else if (this.quiet !== null) {
      const long = now() - this.quiet >= QUIET_MS;
      this.quiet = null;
      if (long && !this.first) this.begin();
    }
    this.first = false;
  }

  /** @private */
  begin() {
    this.called = true;
    this.call();
  }

  /** @private */
  call() {
    this.at = now();
    this.box.hidePopover();
    this.box.showPopover(); // last of all layers: over the lock too
    this.sound();
    navigator.vibrate?.([200, 100, 200]);
  }

  /** @private */
  tick() {
    if (this.called && now() - this.at > AGAIN_MS) this.call();
  }

  /** Somebody is there, or it has gone by itself. */
  end() {
    if (!this.called) return;
    this.called = false;
    this.box.hidePopover();
  }
}
