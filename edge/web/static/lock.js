/** The lock: after a while without anybody, by hand, or because the station says so. It still shows
 * how many wait. */
import { call } from './api.js';
import { now, on, part, say, setup, tell } from './page.js';
import { pads } from './pad.js';
import { age, t } from './texts.js';

const NEAR_S = 2; // before the station locks by itself

/** Locks the page and unlocks it. */
export class Lock {
  constructor() {
    /** @type {HTMLDialogElement} */
    this.dialog = part('lock');
    this.pads = pads();
    this.active = now();
    for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel']) {
      addEventListener(name, () => { this.active = now(); }, { capture: true, passive: true });
    }
    this.dialog.addEventListener('cancel', (event) => event.preventDefault());
    part('lock-now').addEventListener('click', () => this.lock());
    on('session', (what) => {
      if (what === 'locked') this.show();
      else location.assign('/sign-in');
    });
    on('entered', ({ form }) => { if (form.id === 'pad-unlock') this.unlocked(); });
    on('counts', (known) => this.count(known));
    setInterval(() => this.tick(), 1000);
  }

  /** @private */
  tick() {
    const after = setup.config.lock_after_s;
    if (after && !this.dialog.open && now() - this.active > 1000 * Math.max(1, after - NEAR_S)) this.lock();
  }

  /** Lock now, here and at the station. */
  lock() {
    this.show();
    call('POST', '/lock', {});
  }

  /** @private */
  show() {
    if (this.dialog.open) return;
    for (const other of document.querySelectorAll('dialog[open]')) /** @type {HTMLDialogElement} */ (other).close();
    part('menu').open = false;
    for (const pad of this.pads) pad.clear();
    this.dialog.showModal();
    this.dialog.querySelector('input')?.blur();
    tell('locked', true);
  }

  /** @private */
  unlocked() {
    this.active = now();
    this.dialog.close();
    tell('locked', false);
    tell('ask', null);
  }

  /** @private @param {any} known */
  count(known) {
    if (typeof known.waiting !== 'number') return;
    this.dialog.toggleAttribute('data-calm', known.waiting === 0);
    say(part('lock-count'), String(known.waiting));
    say(part('lock-words'), known.waiting === 0 ? t('lock.none') : t('lock.wait', { n: known.waiting }));
    say(part('lock-oldest'), typeof known.oldest_s === 'number' && known.waiting > 0 ? t('lock.oldest', { age: age(known.oldest_s) }) : '');
  }
}
