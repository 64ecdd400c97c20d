/** Live updates: server-sent events, and asking again and again where they do not come. */
import { call, ROOT } from './api.js';
import { now, on, tell } from './page.js';

const POLL_MS = 3000;
const CALM_MS = 20_000; // after so long without a word, ask whether anybody is there
const GAP_MS = 300;

/** Told on the bus: `queue` (the whole answer of GET /queue, or the counts alone), `part`, `line`,
 * `link` (live, polling, lost). */
class Live {
  constructor() {
    /** @type {EventSource|null} */
    this.source = null;
    this.state = 'connecting';
    this.heard = now();
    this.asking = false;
    this.again = false;
    this.failed = 0;
    this.open();
    this.ask();
    setInterval(() => this.tick(), 1000);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.ask(); });
    on('ask', () => this.ask());
  }

  /** @private */
  open() {
    this.source?.close();
    const source = new EventSource('/events');
    this.source = source;
    source.onopen = () => { this.heard = now(); this.link('live'); this.ask(); };
    source.onerror = () => { this.ask(); };
    for (const name of ['queue', 'part', 'line']) {
      source.addEventListener(name, (event) => {
        this.heard = now();
        this.link('live');
        tell(name, parsed(/** @type {MessageEvent} */ (event).data));
        if (name !== 'part') this.ask();
      });
    }
  }

  /** @private @param {string} state */
  link(state) {
    if (state === this.state) return;
    this.state = state;
    tell('link', state);
  }

  /** @private */
  tick() {
    const open = this.source?.readyState === EventSource.OPEN;
    const quiet = now() - this.heard;
    if (this.source?.readyState === EventSource.CLOSED) this.open();
    if (quiet > (open ? CALM_MS : POLL_MS)) this.ask();
  }

  /** Ask for everything, soon, and never twice at a time. */
  ask() {
    if (this.asking) { this.again = true; return; }
    this.asking = true;
    setTimeout(async () => {
      this.again = false;
      const reply = await call('GET', `${ROOT}/queue`);
      this.asking = false;
      this.heard = now();
      this.answered(reply);
      if (this.again) this.ask();
    }, GAP_MS);
  }

  /** @private @param {import('./api.js').Reply} reply */
  answered(reply) {
    if (reply.ok) {
      this.failed = 0;
      this.link(this.source?.readyState === EventSource.OPEN ? 'live' : 'polling');
      tell('queue', reply.data);
    } else if (reply.status === 0 || reply.status >= 500) {
      this.failed += 1;
      this.heard = now() - POLL_MS + 1000; // once more in a second
      if (this.failed >= 2) this.link('lost');
    }
  }
}

/** @param {string} text */
function parsed(text) {
  try { return JSON.parse(text); } catch { return {}; }
}

export const live = new Live();
