/** Parts of a page that stay up to date: the page asks for itself again and takes what has changed. */
import { on } from './page.js';

const EVERY_MS = 2000;

/** Renews every `[data-live]` of the page. */
class Renewal {
  constructor() {
    this.asking = false;
    this.locked = false;
    on('locked', (locked) => { this.locked = locked; if (!locked) this.renew(); });
    document.addEventListener('visibilitychange', () => this.renew());
    setInterval(() => this.renew(), EVERY_MS);
  }

  async renew() {
    if (this.asking || this.locked || document.hidden) return;
    this.asking = true;
    const text = await fetched();
    this.asking = false;
    if (text === null) return;
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    for (const old of document.querySelectorAll('[data-live]')) {
      const found = fresh.querySelector(`[data-live="${CSS.escape(/** @type {HTMLElement} */ (old).dataset.live ?? '')}"]`);
      if (found && found.innerHTML !== old.innerHTML) take(old, found);
    }
  }
}

/** The page as it is now; null where it is not to be had, or is another one (somebody has to sign in). */
async function fetched() {
  const stop = AbortSignal.timeout(8000);
  try {
    const reply = await fetch(location.href, { headers: { Accept: 'text/html', 'X-Quiet': '1' }, cache: 'no-store', redirect: 'manual', signal: stop });
    return reply.ok ? await reply.text() : null;
  } catch {
    return null;
  }
}

/** Put the new content in place. Rows that are the same stay the same, so that no picture flickers.
 * @param {Element} old @param {Element} found */
function take(old, found) {
  const known = new Map();
  for (const row of old.querySelectorAll('[data-inspection]')) known.set(row.outerHTML, row);
  const nodes = document.importNode(found, true);
  for (const row of nodes.querySelectorAll('[data-inspection]')) {
    const same = known.get(row.outerHTML);
    if (same) row.replaceWith(same);
  }
  old.replaceChildren(...nodes.childNodes);
}

export const renewal = new Renewal();
