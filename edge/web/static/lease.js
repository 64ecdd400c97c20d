/** A part that this page has: kept while somebody is here, given back when nobody is. */
import { call, ROOT } from './api.js';
import { now, setup } from './page.js';

const path = (/** @type {string} */ token) => `${ROOT}/claims/${encodeURIComponent(token)}`;

/** One claim with its lease. `lost` is called once, if the station has given it to nobody or others. */
export class Lease {
  /** @param {string} token @param {number} lease_s @param {(code: string) => void} lost */
  constructor(token, lease_s, lost) {
    this.token = token;
    this.lost = lost;
    this.begun = now();
    this.over = false;
    this.held = false;
    /** @type {AbortController|null} the renewal that is under way */
    this.asking = null;
    const every = 1000 * ((lease_s || setup.config.lease_s || 45) / 3);
    this.timer = setInterval(() => this.renew(), every);
  }

  /** @private */
  async renew() {
    if (this.held) return;
    this.asking = new AbortController();
    const reply = await call('POST', `${path(this.token)}/renew`, {}, this.asking);
    if (this.over || this.held || reply.ok || ![404, 409].includes(reply.status)) return;
    this.end();
    this.lost(reply.error?.code === 'answered' ? 'answered' : 'expired');
  }

  /** No renewal while an answer is on its way: that ends the claim. @param {boolean} held */
  hold(held) {
    this.held = held;
    if (held) this.asking?.abort();
  }

  /** It is answered or lost: nothing more to do for it. */
  end() {
    this.over = true;
    this.asking?.abort();
    clearInterval(this.timer);
  }

  /** Give the part back. @returns {Promise<void>} */
  async release() {
    if (this.over) return;
    this.end();
    await call('DELETE', path(this.token));
  }

  /** The page goes away: give the part back without waiting for an answer. */
  leave() {
    if (this.over) return;
    this.end();
    const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';
    fetch(path(this.token), {
      method: 'DELETE', keepalive: true, credentials: 'same-origin', headers: { 'X-CSRF-Token': csrf },
    }).catch(() => { /* the lease ends by itself */ });
  }
}
