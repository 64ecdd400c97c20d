/** An answer on its way: sent until the station has it, or says that it will not. */
import { insist, call, ROOT } from './api.js';
import { called } from './case.js';
import { on, part, show } from './page.js';
import { at, fated, refused, t } from './texts.js';

const REVEALED_MS = 2000;
const KEEPS = ['not_now', 'nonsense', 'locked', 'not_allowed', 'busy', 'wait'];
const LOST = ['expired', 'unknown', 'claimed'];

/** Sends what the buttons say. One answer is under way at a time. */
export class Answering {
  /** @param {import('./desk.js').Desk} desk @param {import('./last.js').Last} last */
  constructor(desk, last) {
    this.desk = desk;
    this.last = last;
    on('undo', (what) => this.undone(what));
  }

  /** @param {'accept'|'reject'|'unsure'} verdict */
  async verdict(verdict) {
    const { desk } = this;
    const { case: given, lease } = desk;
    if (!given || !lease || desk.sending) return;
    desk.sending = true;
    desk.dead();
    const added = desk.view.added();
    if (verdict === 'accept') delete added.label;
    const body = { claim: lease.token, inspection: given.inspection, picture: desk.drawn, verdict, ...added };
    const answered = { inspection: given.inspection, number: called(given), word: t(`answered.${verdict}`) };
    this.last.sending(answered);
    lease.hold(true);
    const waiting = () => { lease.hold(false); this.last.again(answered); };
    let reply = await insist('POST', `${ROOT}/verdicts`, body, { waiting });
    if (reply.error?.code === 'expired') reply = await this.anew(given, body, waiting) ?? reply;
    desk.sending = false;
    lease.hold(false);
    if (reply.ok) await this.recorded(given, verdict, answered, reply.data);
    else await this.refused(given, answered, reply.error ?? { code: 'other' });
  }

  /** The claim has ended, with its time or with the service that knew it: where nobody else has the
   * part, the same answer about the same picture is sent with a new one. @private
   * @param {import('./case.js').Case} given @param {any} body @param {() => void} waiting */
  async anew(given, body, waiting) {
    const asked = await call('GET', `${ROOT}/inspections/${encodeURIComponent(given.inspection)}/state`);
    if (asked.data?.state !== 'waiting') return null;
    const reply = await call('POST', `${ROOT}/claims`, { inspection: given.inspection });
    if (!reply.ok || reply.data?.case?.picture !== given.picture) return null;
    return insist('POST', `${ROOT}/verdicts`, { ...body, claim: reply.data.claim }, { waiting });
  }

  /** @private @param {import('./case.js').Case} given @param {string} verdict
   * @param {import('./last.js').Answered} answered @param {any} data */
  async recorded(given, verdict, answered, data) {
    this.desk.lease?.end();
    if (data.fate && data.fate.by === 'fallback') {
      this.last.recorded(answered, { ...data, undo_s: 0 });
      this.last.say(t('refused.too_late', { fate: fated(data.fate), at: at(data.fate.at) }), answered.number, 'warn');
    } else this.last.recorded(answered, data);
    if (given.alone) await this.reveal(data, verdict);
    this.desk.finish();
  }

  /** The model's answer, for a moment, after the person's own. @private
   * @param {{answer: any, look_url?: string|null}} data @param {string} verdict */
  async reveal({ answer, look_url }, verdict) {
    const { view } = this.desk;
    if (!answer) return;
    view.answer(answer, true);
    for (const id of ['types', 'note-box', 'alone']) show(part(id), false);
    this.desk.look.set(look_url ?? null);
    if (answer.would_be) {
      part('answer-would').textContent = answer.would_be === verdict ? `= ${t('answered.agree')}` : `≠ ${t('answered.differ')}`;
    }
    await new Promise((done) => {
      const stop = new AbortController();
      const end = () => { stop.abort(); clearTimeout(timer); done(undefined); };
      const timer = setTimeout(end, REVEALED_MS);
      addEventListener('pointerup', end, { signal: stop.signal });
      addEventListener('keydown', (event) => { if (!event.repeat) end(); }, { signal: stop.signal });
    });
  }

  /** Nothing was recorded, or it is not known: say what happened. @private
   * @param {import('./case.js').Case} given @param {import('./last.js').Answered} answered
   * @param {{code: string, facts?: any}} error */
  async refused(given, answered, error) {
    const { desk, last } = this;
    if (error.code === 'replayed') {
      last.recorded(answered, { verdict: error.facts?.verdict ?? '', undo_s: 0, at: error.facts?.at });
      show(part('correct'), false);
      desk.finish();
    } else if (KEEPS.includes(error.code)) {
      last.say(t('answered.not_sent', { why: refused(error) }), answered.number, 'bad');
      if (desk.paused.size > 0) desk.finish(given.inspection);
      else desk.draw();
    } else if (LOST.includes(error.code)) await this.unsure(given, answered, error);
    else {
      last.say(`${answered.number}: ${refused(error)}`, '', 'warn');
      desk.finish(error.code === 'wrong_picture' ? given.inspection : null);
    }
  }

  /** The claim is gone, perhaps with the service that knew it: ask what became of the part. @private
   * @param {import('./case.js').Case} given @param {import('./last.js').Answered} answered
   * @param {{code: string, facts?: any}} error */
  async unsure(given, answered, error) {
    const reply = await call('GET', `${ROOT}/inspections/${encodeURIComponent(given.inspection)}/state`);
    const { state, fate, by_me: mine, answer } = reply.ok ? reply.data : { state: '', fate: null, by_me: false, answer: null };
    const decided = state === 'decided' || state === 'answered';
    if (decided && mine) {
      this.last.recorded(answered, { verdict: '', undo_s: 0, fate, at: answer?.at });
      show(part('correct'), false);
    } else if (!reply.ok) this.last.say(t('answered.lost'), answered.number, 'bad');
    else {
      const known = decided ? { code: fate?.by === 'fallback' ? 'too_late' : 'answered', facts: { fate, at: answer?.at ?? fate?.at } } : error;
      this.last.say(t('answered.not_sent', { why: refused(known) }), answered.number, 'bad');
    }
    this.desk.finish(decided ? null : given.inspection);
  }

  /** To the back of the queue, without an answer. */
  async skip() {
    const { desk } = this;
    const { case: given, lease } = desk;
    if (!given || !lease || desk.sending) return;
    desk.sending = true;
    desk.dead();
    lease.hold(true);
    const reply = await insist('POST', `${ROOT}/claims/${encodeURIComponent(lease.token)}/skip`, {});
    desk.sending = false;
    this.last.note(reply.ok ? t('answered.was', { part: called(given), verdict: t('answered.skipped') })
      : refused(reply.error ?? { code: 'other' }), reply.ok ? '' : 'warn');
    desk.finish();
  }

  /** An answer was taken back: its part comes back to this page. @private @param {string} what */
  async undone(what) {
    if (what === 'begun' || what === 'ended') return;
    this.desk.wanted = what;
    if (this.desk.sending) return;
    await this.desk.giveBack();
    this.desk.take();
  }
}
