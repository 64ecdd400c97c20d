/** The last answer: what became of it, Undo while there is time, then a correction. */
import { call, ROOT } from './api.js';
import { now, part, pause, say, show, tell } from './page.js';
import { tap } from './tap.js';
import { at, fated, refused, t } from './texts.js';

const ASK_MS = 300;
const MOST_ASKS = 40;
const FRESH_MS = 8000; // so long a small screen gives it room

/** @typedef {{inspection: string, number: string, word: string, verdict?: string, undo_until?: number}} Answered */

/** The card with the last answer. */
export class Last {
  constructor() {
    /** @type {Answered|null} */
    this.answered = null;
    this.allowed = 1;
    this.busy = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.fresh = undefined;
    tap(part('undo'), () => this.undo());
    part('correct').addEventListener('click', () => tell('correct', this.answered));
    this.timer = setInterval(() => this.tick(), 100);
  }

  /** @param {string} main @param {string} sub @param {'good'|'warn'|'bad'|''} tone */
  say(main, sub = '', tone = '') {
    show(part('last'), true);
    part('last').dataset.tone = tone;
    part('last').toggleAttribute('data-fresh', true);
    clearTimeout(this.fresh);
    this.fresh = setTimeout(() => part('last').removeAttribute('data-fresh'), FRESH_MS);
    const lines = [document.createTextNode(main)];
    if (sub) {
      const small = document.createElement('span');
      small.className = 'sub';
      small.textContent = sub;
      lines.push(/** @type {any} */ (document.createTextNode(' ')), /** @type {any} */ (small));
    }
    part('message').replaceChildren(...lines);
  }

  /** Only words: what happened to a part that was not answered here. @param {string} words @param {'good'|'warn'|'bad'|''} tone */
  note(words, tone = 'warn') {
    this.forget();
    this.say(words, '', tone);
  }

  /** Nothing can be taken back any more. */
  forget() {
    this.answered = null;
    show(part('undo'), false);
    show(part('correct'), false);
  }

  /** An answer is on its way. @param {Answered} answered */
  sending(answered) {
    this.forget();
    this.say(t('answered.was', { part: answered.number, verdict: answered.word }), t('answered.sending'));
  }

  /** @param {Answered} answered */
  again(answered) {
    this.say(t('answered.was', { part: answered.number, verdict: answered.word }), t('answered.again'), 'warn');
  }

  /** It is recorded. @param {Answered} answered @param {any} reply of POST /verdicts */
  recorded(answered, reply) {
    const undo_s = reply.undo_s ?? 0;
    this.answered = { ...answered, verdict: reply.verdict, undo_until: now() + undo_s * 1000 };
    this.allowed = Math.max(0.1, undo_s);
    const when = at(reply.at ?? reply.fate?.at ?? new Date().toISOString());
    this.say(t('answered.was', { part: answered.number, verdict: answered.word }), t('answered.recorded', { at: when }), 'good');
    show(part('undo'), undo_s > 0);
    show(part('correct'), undo_s <= 0);
    this.tick();
  }

  /** @private */
  tick() {
    if (part('undo').hidden || this.busy || !this.answered) return;
    const left = ((this.answered.undo_until ?? 0) - now()) / 1000;
    part('undo-fill').style.transform = `scaleX(${Math.max(0, left / this.allowed)})`;
    say(part('undo-words'), t('answered.undo_left', { n: Math.max(0, Math.ceil(left)) }));
    if (left <= 0) {
      show(part('undo'), false);
      show(part('correct'), true);
    }
  }

  /** Take the last answer back, if there is time; the station says whether there was. */
  async undo() {
    const { answered } = this;
    if (this.busy || part('undo').hidden || !answered?.verdict) return;
    this.busy = true;
    tell('undo', 'begun');
    show(part('undo'), false);
    this.say(t('answered.undoing'));
    let reply = await call('POST', `${ROOT}/verdicts/${encodeURIComponent(answered.verdict)}/undo`, {});
    for (let tries = 0; reply.status === 0 && tries < MOST_ASKS; tries += 1) {
      this.say(t('answered.undoing'), t('answered.again'), 'warn');
      await pause(Math.min(3000, 400 * 2 ** tries));
      reply = await call('POST', `${ROOT}/verdicts/${encodeURIComponent(answered.verdict)}/undo`, {});
    }
    const result = reply.ok ? await this.settled(answered, reply.data) : null;
    this.busy = false;
    this.forget();
    if (result) this.result(answered, result);
    else this.say(refused(reply.error ?? { code: 'other' }), '', 'bad');
    tell('undo', result?.state === 'undone' ? answered.inspection : 'ended');
  }

  /** Wait until the line has said whether it had acted. @private @param {Answered} answered @param {any} said */
  async settled(answered, said) {
    let result = said;
    for (let asks = 0; result.state === 'undoing' && asks < MOST_ASKS; asks += 1) {
      await pause(ASK_MS);
      const reply = await call('GET', `${ROOT}/inspections/${encodeURIComponent(answered.inspection)}/state`);
      if (!reply.ok) continue;
      const { undo, fate } = reply.data;
      if (undo === 'too_late' || undo === 'undone') result = { state: undo, fate };
    }
    return result;
  }

  /** @private @param {Answered} answered @param {any} result */
  result(answered, result) {
    if (result.state === 'undone') this.say(`${answered.number}: ${t('answered.undone')}`, '', 'good');
    else if (result.state === 'undoing') this.say(`${answered.number}: ${t('answered.undoing')}`, '', 'warn');
    else if (result.fate) this.say(t('answered.too_late', { fate: fated(result.fate), at: at(result.fate.at) }), answered.number, 'warn');
    else this.say(t('answered.too_late_plain'), answered.number, 'warn');
  }
}
