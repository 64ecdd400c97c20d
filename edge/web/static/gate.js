/** When buttons act: only while what they are about stands still before the eyes. */
import { now } from './page.js';

export const STILL_MS = 600;

/** Closed until armed; opens STILL_MS after the last change; every opening is a new period.
 *
 * A press that began in one period counts only if it ends in the same one, so that a finger that was
 * on its way to the last part never reaches the next.
 */
export class Gate {
  /** @param {(open: boolean) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.armed = false;
    this.since = 0;
    this.count = 0;
    /** @type {number|null} the period, null while closed */
    this.period = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** The part and its picture are there: open when they have stood still. */
  arm() {
    this.armed = true;
    this.touch();
  }

  /** Closed until the next arm(). */
  disarm() {
    this.armed = false;
    this.shut();
  }

  /** Something moved: closed now, open again after STILL_MS. */
  touch() {
    this.shut();
    this.since = now();
    if (this.armed) this.timer = setTimeout(() => this.open(), STILL_MS);
  }

  /** @private */
  shut() {
    clearTimeout(this.timer);
    if (this.period !== null) {
      this.period = null;
      this.changed(false);
    }
  }

  /** @private timers may fire a little early; the clock decides */
  open() {
    const rest = STILL_MS - (now() - this.since);
    if (rest > 0) {
      this.timer = setTimeout(() => this.open(), Math.ceil(rest));
      return;
    }
    this.count += 1;
    this.period = this.count;
    this.changed(true);
  }
}

/** Tell the gate of every change of the layout of these elements and of the window.
 * @param {Gate} gate @param {Element[]} elements */
export function watchLayout(gate, elements) {
  const sizes = new Map();
  const moved = () => {
    let any = false;
    for (const element of elements) {
      const box = element.getBoundingClientRect();
      const size = `${box.x},${box.y},${box.width},${box.height}`;
      if (sizes.get(element) !== size) { any = true; sizes.set(element, size); }
    }
    if (any) gate.touch();
  };
  const observer = new ResizeObserver(moved);
  elements.forEach((element) => observer.observe(element));
  window.addEventListener('resize', () => gate.touch());
  window.addEventListener('scroll', moved, { passive: true });
  window.addEventListener('pageshow', () => gate.touch());
  document.addEventListener('visibilitychange', () => gate.touch());
}
