/** Number and PIN on large keys, physical digits, and a badge reader that types. */
import { call } from './api.js';
import { now, tell } from './page.js';
import { named } from './texts.js';

const BADGE_SHORTEST = 8;
const FAST_MS = 60; // between two strokes of a reader; no finger keeps this up for eight of them

/** One form with a pad. What it was answered is told on the bus as `entered` {form, to}. */
export class Pad {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    /** @type {HTMLInputElement[]} */
    this.fields = [...form.querySelectorAll('[data-field]')].map((field) => /** @type {HTMLInputElement} */ (field));
    this.wrong = /** @type {HTMLElement} */ (form.querySelector('[data-wrong]'));
    this.field = this.fields[0];
    this.busy = false;
    this.waiting = 0;
    for (const field of this.fields) {
      field.inputMode = 'none'; // the keys are on the page
      field.addEventListener('focus', () => this.turn(field));
    }
    this.turn(this.field);
    for (const key of form.querySelectorAll('[data-key]')) {
      key.addEventListener('click', () => this.press(/** @type {HTMLElement} */ (key).dataset.key ?? ''));
    }
    form.addEventListener('submit', (event) => { event.preventDefault(); this.go(); });
  }

  /** Whether somebody can see it. */
  get seen() {
    return this.form.offsetParent !== null || this.form.getClientRects().length > 0;
  }

  /** The keys write into this field now. @private @param {HTMLInputElement} field */
  turn(field) {
    this.field = field;
    for (const one of this.fields) one.toggleAttribute('data-active', one === field);
  }

  /** @param {string} key a digit, or `back` */
  press(key) {
    if (this.busy) return;
    const { field } = this;
    if (key === 'back') field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += key;
    this.wrong.textContent = '';
  }

  /** The next empty field, or in. */
  go() {
    const empty = this.fields.find((field) => field.value === '');
    if (empty) empty.focus();
    else this.send(Object.fromEntries(this.fields.map((field) => [field.name, field.value])));
  }

  /** @param {Record<string, string>} body */
  async send(body) {
    if (this.busy) return;
    this.busy = true;
    this.form.setAttribute('aria-busy', 'true');
    this.wrong.textContent = '';
    const reply = await call('POST', this.form.getAttribute('action') ?? '', body);
    this.busy = false;
    this.form.removeAttribute('aria-busy');
    if (reply.ok) tell('entered', { form: this.form, to: reply.data?.to ?? '/queue' });
    else this.refused(reply.error ?? { code: 'other' }, 'badge' in body);
  }

  /** @private @param {{code: string, facts?: any}} error @param {boolean} badge */
  refused(error, badge) {
    const pin = this.fields[this.fields.length - 1];
    pin.value = '';
    pin.focus();
    clearInterval(this.waiting);
    const code = error.code === 'wrong' && this.fields.length === 1 && !badge ? 'wrong_pin' : error.code;
    const end = now() + 1000 * (error.facts?.wait_s ?? 0);
    const said = () => {
      const wait = Math.max(0, Math.ceil((end - now()) / 1000));
      this.wrong.textContent = error.code === 'wait' && wait === 0 ? '' : named('denied', code, { wait });
      if (wait === 0) clearInterval(this.waiting);
    };
    said();
    if (end > now()) this.waiting = window.setInterval(said, 1000);
  }

  clear() {
    for (const field of this.fields) field.value = '';
    this.wrong.textContent = '';
    this.turn(this.fields[0]);
  }
}

/** What was typed so fast that it was a reader. @type {{text: string, at: number}} */
const typed = { text: '', at: -1e9 };

/** Strokes anywhere on the page belong to the pad that is seen.
 * @param {Pad[]} pads */
export function listen(pads) {
  addEventListener('keydown', (event) => {
    const pad = pads.find((one) => one.seen);
    if (!pad || event.ctrlKey || event.altKey || event.metaKey) return;
    if (badge(event, pad)) return;
    const inField = pad.fields.some((field) => field === event.target);
    if (/^[0-9]$/.test(event.key) && !inField && !event.repeat) pad.press(event.key);
    else if (event.key === 'Backspace' && !inField) pad.press('back');
    else if (event.key === 'Enter' && !inField && event.target === document.body) pad.go();
  }, true);
}

/** Whether this Enter ends what a reader typed. @param {KeyboardEvent} event @param {Pad} pad */
function badge(event, pad) {
  // when it was struck, not when this busy page came to look at it
  const fast = event.timeStamp - typed.at < FAST_MS;
  if (event.key.length === 1) {
    typed.text = fast ? typed.text + event.key : event.key;
    typed.at = event.timeStamp;
    return false;
  }
  if (event.key !== 'Enter') return event.key === 'Shift' ? false : void (typed.text = '');
  const text = fast ? typed.text : '';
  typed.text = '';
  if (text.length < BADGE_SHORTEST) return false;
  event.preventDefault();
  event.stopPropagation();
  pad.clear();
  pad.send({ badge: text });
  return true;
}

/** Make every pad of the page work. @returns {Pad[]} */
export function pads() {
  const found = [...document.querySelectorAll('form[data-pad]')].map((form) => new Pad(/** @type {HTMLFormElement} */ (form)));
  listen(found);
  return found;
}
