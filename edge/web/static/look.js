/** Where the model looked: an overlay that is worked out when somebody wants to see it. */
import { part, pause, show } from './page.js';
import { tap } from './tap.js';
import { t } from './texts.js';

const AGAIN_MS = 500;
const MOST_TRIES = 60;

/** The overlay of the part on the stage. Once wanted it is wanted for the parts that follow. */
export class Look {
  constructor() {
    /** @type {HTMLButtonElement} */
    this.button = part('look-toggle');
    /** @type {HTMLImageElement} */
    this.image = part('look');
    this.wanted = false;
    /** @type {string|null} */
    this.url = null;
    this.turn = 0;
    tap(this.button, () => this.toggle());
  }

  toggle() {
    if (this.button.hidden) return;
    this.wanted = !this.wanted;
    this.apply();
  }

  /** Another part. @param {string|null} url of its overlay, null where it may not be seen or there is none */
  set(url) {
    this.turn += 1;
    this.url = url;
    if (this.image.src.startsWith('blob:')) URL.revokeObjectURL(this.image.src);
    this.image.removeAttribute('src');
    this.button.disabled = false;
    show(this.button, url !== null);
    this.apply();
  }

  /** @private */
  apply() {
    this.button.setAttribute('aria-pressed', String(this.wanted));
    this.words(t('queue.look'));
    this.image.hidden = !(this.wanted && this.image.src);
    if (this.wanted && this.url !== null && !this.image.src && !this.button.disabled) this.fetch(this.url, this.turn);
  }

  /** @private @param {string} words @param {boolean} [busy] */
  words(words, busy = false) {
    /** @type {Element} */ (this.button.querySelector('span')).textContent = words;
    this.button.setAttribute('aria-busy', String(busy));
  }

  /** @private @param {string} url @param {number} turn */
  async fetch(url, turn) {
    for (let tries = 0; tries < MOST_TRIES && turn === this.turn && this.wanted; tries += 1) {
      this.words(t('queue.look_waiting'), true);
      const reply = await fetch(url, { credentials: 'same-origin', cache: 'no-store' }).catch(() => null);
      const image = reply?.status === 200 ? await reply.blob().catch(() => null) : null;
      if (turn !== this.turn) return;
      if (image) {
        this.image.src = URL.createObjectURL(image);
        this.apply();
        return;
      }
      if (reply && reply.status !== 202 && reply.status < 500) break;
      await pause(AGAIN_MS);
    }
    if (turn !== this.turn || !this.wanted) return;
    this.words(t('queue.look_none'));
    this.button.disabled = true;
  }
}
