/** Searching: goes further back by itself until there is something to show, and says how far it is. */
import { t } from './texts.js';

const MOST_MS = 60_000;
const results = document.getElementById('results');
const stop = /** @type {HTMLButtonElement|null} */ (document.getElementById('stop'));
let searching = false;

/** @param {string} url @returns {Promise<Document|null>} */
async function page(url) {
  try {
    const reply = await fetch(url, { headers: { Accept: 'text/html' }, cache: 'no-store', redirect: 'manual' });
    return reply.ok ? new DOMParser().parseFromString(await reply.text(), 'text/html') : null;
  } catch {
    return null;
  }
}

/** Put what was found behind what is there. @param {Document} found @returns {number} how many */
function take(found) {
  const rows = [...found.querySelectorAll('#results tbody tr')];
  const body = results?.querySelector('tbody');
  if (body) body.append(...rows.map((row) => document.importNode(row, true)));
  else if (rows.length > 0) results?.replaceChildren(...found.querySelectorAll('#results > *'));
  for (const id of ['reached', 'further']) swap(id, found);
  if (!body && rows.length === 0) swap('nothing', found);
  return rows.length;
}

/** @param {string} id @param {Document} found */
function swap(id, found) {
  const [old, fresh] = [document.getElementById(id), found.getElementById(id)];
  if (old && fresh) old.replaceWith(document.importNode(fresh, true));
  else if (old) old.remove();
}

/** One screen further back, or until the end, or until somebody says that it is enough. */
async function further() {
  if (searching || !stop) return;
  searching = true;
  stop.hidden = false;
  const end = performance.now() + MOST_MS;
  let more = 0;
  for (let link = open(); link && searching && more < 10 && performance.now() < end; link = open()) {
    link.setAttribute('aria-busy', 'true');
    const words = link.querySelector('span');
    if (words) words.textContent = t('history.searching');
    const found = await page(link.href);
    if (!found) break;
    more += take(found);
  }
  searching = false;
  stop.hidden = true;
  const link = open();
  const words = link?.querySelector('span');
  link?.removeAttribute('aria-busy');
  if (words) words.textContent = t('history.further');
}

const open = () => /** @type {HTMLAnchorElement|null} */ (document.getElementById('further'));

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('#further') : null;
  if (!link) return;
  event.preventDefault();
  further();
});
stop?.addEventListener('click', () => { searching = false; });
if (open()?.dataset.full === 'no') further();
