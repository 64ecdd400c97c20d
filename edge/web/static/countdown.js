/** Time left to the deadline: a bar, seconds, a colour and a shape. */
import { now, part, say, show } from './page.js';
import { age, t } from './texts.js';

const SOON = 1 / 3; // of what was allowed when it was first seen
const SOON_S = 20;
const NOW_S = 8;

/** Counts down to the deadline of one part; calls `over` once when it has passed. */
export class Countdown {
  /** @param {() => void} over */
  constructor(over) {
    this.over = over;
    this.box = part('left');
    this.fill = part('left-fill');
    /** @type {number|null} */
    this.end = null;
    this.whole = 1;
    setInterval(() => this.tick(), 250);
  }

  /** @param {number|null} left_s seconds from now; null: nothing happens by itself
   * @param {number|null} [allowed_s] what there was in all */
  set(left_s, allowed_s) {
    this.end = left_s === null ? null : now() + left_s * 1000;
    this.whole = Math.max(1, allowed_s ?? left_s ?? 1);
    show(this.box, left_s !== null);
    this.tick();
  }

  clear() {
    this.set(null);
  }

  /** @private */
  tick() {
    if (this.end === null) return;
    const left = (this.end - now()) / 1000;
    const share = Math.max(0, Math.min(1, left / this.whole));
    this.box.dataset.urgency = left <= NOW_S ? 'now' : left <= SOON_S || share < SOON ? 'soon' : 'calm';
    this.fill.style.transform = `scaleX(${share})`;
    part('left-bar').setAttribute('aria-valuenow', String(Math.round(share * 100)));
    say(part('left-words'), left > 0 ? age(Math.ceil(left)) : t('queue.left_over'));
    if (left <= 0) {
      this.end = null;
      this.over();
    }
  }
}
