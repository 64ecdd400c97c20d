/** Forms that need the PIN again (`data-fresh`): sent by script, so that nothing typed is lost. */
import { call } from './api.js';
import { now, on, part } from './page.js';
import { named, t } from './texts.js';

const GOOD_MS = 100_000; // the station takes it for two minutes
/** @type {((given: boolean) => void)|null} */
let waiting = null;
let goodUntil = document.getElementById('confirm')?.hasAttribute('data-given') ? now() + GOOD_MS / 2 : 0;

/** Whether the person gave the PIN. @returns {Promise<boolean>} */
function pin() {
  const sheet = part('confirm');
  sheet.showModal();
  return new Promise((done) => { waiting = done; });
}

/** @param {boolean} given */
function answered(given) {
  const done = waiting;
  waiting = null;
  if (given) goodUntil = now() + GOOD_MS;
  if (done) done(given);
}

/** One request that may need the PIN again. @param {string} path @param {Record<string, any>} body
 * @param {string} [method] @returns {Promise<import('./api.js').Reply>} */
export async function confirmed(path, body, method = 'POST') {
  const cancelled = { ok: false, status: 403, data: null, error: { code: 'pin_needed' } };
  if (now() > goodUntil && !(await pin())) return cancelled;
  const reply = await call(method, path, body);
  if (reply.error?.code !== 'pin_needed') return reply;
  return (await pin()) ? call(method, path, body) : cancelled;
}

/** Why it was not done, in words. @param {{code: string, facts?: any}} error */
export const why = (error) => named('denied', error.code, { wait: error.facts?.wait_s ?? 0 });

/** What the fields of a form hold; a ticked box is true. @param {HTMLFormElement} form */
function values(form) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (name !== 'csrf') found[name] = value === 'on' ? true : value;
  }
  return found;
}

/** @param {HTMLFormElement} form @param {(data: any, form: HTMLFormElement) => void} done */
async function send(form, done) {
  const wrong = /** @type {HTMLElement|null} */ (form.querySelector('[data-wrong]'));
  const buttons = [...form.querySelectorAll('button')];
  if (form.dataset.sure && !window.confirm(form.dataset.sure)) return;
  if (wrong) wrong.textContent = '';
  for (const button of buttons) button.disabled = true;
  const reply = await confirmed(form.getAttribute('action') ?? '', values(form));
  for (const button of buttons) button.disabled = false;
  if (reply.ok) done(reply.data, form);
  else if (wrong && reply.error?.code !== 'pin_needed') wrong.textContent = why(reply.error ?? { code: 'other' });
}

/** Make all such forms of the page work. @param {(data: any, form: HTMLFormElement) => void} done */
export function fresh(done) {
  const sheet = part('confirm');
  on('entered', ({ form }) => {
    if (form.id !== 'pad-confirm') return;
    answered(true);
    sheet.close();
  });
  sheet.addEventListener('close', () => answered(false));
  for (const form of document.querySelectorAll('form[data-fresh]')) {
    form.addEventListener('submit', (event) => { event.preventDefault(); send(/** @type {HTMLFormElement} */ (form), done); });
  }
  sheet.querySelector('h2').textContent ||= t('confirm.title');
}
