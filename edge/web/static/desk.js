/** The desk: takes a part, shows it, and lets it be answered when it stands still. */
import { call, ROOT } from './api.js';
import { called, CaseView } from './case.js';
import { Countdown } from './countdown.js';
import { Gate, watchLayout } from './gate.js';
import { Lease } from './lease.js';
import { Look } from './look.js';
import { now, on, part, pause, show, tell } from './page.js';
import { Picture, preload } from './picture.js';
import { refused, t } from './texts.js';

/** @typedef {import('./case.js').Case} Case */

const AGAIN_MS = 1000;
const BROKEN_MS = 4000;
const DUE_S = 20; // an escalation that falls due so soon comes before a picture shown alone
const OVER_ASKS = 6;

/** What is on the page. `last` is the card with the last answer. */
export class Desk {
  /** @param {import('./last.js').Last} last */
  constructor(last) {
    this.last = last;
    /** @type {Case|null} */
    this.case = null;
    /** @type {Lease|null} */
    this.lease = null;
    /** @type {string|null} the SHA-256 of the picture that was painted */
    this.drawn = null;
    this.taking = false;
    this.sending = false;
    /** @type {string|null} the part to be taken next */
    this.wanted = null;
    /** @type {Set<string>} why nothing is taken: locked, away, hidden */
    this.paused = new Set();
    this.gate = new Gate((open) => this.opened(open));
    this.skipping = new Gate((open) => part('skip').setAttribute('aria-disabled', String(!open)));
    this.view = new CaseView();
    this.picture = new Picture();
    this.look = new Look();
    this.countdown = new Countdown(() => this.due());
    watchLayout(this.gate, [part('actions'), part('stage')]);
    on('counts', (known) => this.counted(known));
    on('part', (event) => { if (event.inspection === this.case?.inspection && !this.sending) this.check(); });
    part('again').addEventListener('click', () => this.draw());
    part('take').addEventListener('click', () => this.giveBack().then(() => this.take()));
    addEventListener('pagehide', () => this.lease?.leave());
    this.state('waiting');
  }

  /** What the page says of itself: ready, waiting, drawing, dead, locked, offline. @param {string} state */
  state(state) {
    document.body.dataset.state = this.paused.has('locked') ? 'locked' : state;
  }

  /** @private @param {boolean} open */
  opened(open) {
    for (const id of ['accept', 'reject', 'unsure']) part(id).setAttribute('aria-disabled', String(!open));
    if (open) this.state('ready');
    else if (document.body.dataset.state === 'ready') this.state(this.case ? 'drawing' : 'dead');
  }

  /** Everything is dead until the next part is ready. */
  dead() {
    this.gate.disarm();
    this.skipping.disarm();
    this.state('dead');
  }

  /** @private @param {any} known */
  counted(known) {
    const soon = known.pressing ?? (known.escalations > 0 && known.next_deadline_s !== null && known.next_deadline_s < DUE_S);
    const due = this.case?.alone && soon;
    show(part('banner-take'), Boolean(due));
    if (!this.case && known.waiting > 0) this.take();
  }

  /** Take the part that is next, or that was asked for. */
  async take() {
    if (this.case || this.taking || this.sending || this.paused.size > 0) return;
    this.taking = true;
    const wanted = this.wanted;
    this.wanted = null;
    const reply = await call('POST', `${ROOT}/claims`, wanted ? { inspection: wanted } : {});
    this.taking = false;
    if (reply.ok && reply.data?.case) this.took(reply.data);
    else if (reply.ok) this.nothing();
    else if (wanted) this.take();
    else if (reply.status === 0 || reply.status >= 500) {
      this.blank('offline');
      this.state('offline');
      await pause(AGAIN_MS);
      this.take();
    } else this.nothing();
  }

  /** @private @param {any} data the answer of POST /claims */
  took(data) {
    this.lease = new Lease(data.claim, data.lease_s, (code) => this.gone({ code }));
    if (this.paused.size > 0) {
      this.lease.release();
      return;
    }
    this.case = data.case;
    document.body.dataset.inspection = data.case.inspection;
    this.next = data.next?.picture_url ?? null;
    this.dead();
    this.view.set(this.case);
    this.countdown.set(data.case.left_s, data.case.allowed_s ?? null);
    tell('shown', this.case);
    this.draw();
  }

  /** Draw the picture; ready when it is painted and has stood still. */
  async draw() {
    const given = this.case;
    if (!given) return;
    this.dead();
    this.state('drawing');
    this.drawn = null;
    this.look.set(null);
    if (given.picture_url === null) {
      this.picture.clear('no-picture');
      await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
    } else {
      const words = given.alone ? t('queue.picture_alone') : t('queue.picture', { part: called(given) });
      const over = given.basis === 'part' ? part('words').querySelector('.part-itself').offsetHeight : 0;
      if (!await this.picture.draw(given.picture_url, words, over)) return this.broken(given);
    }
    if (given !== this.case || this.sending) return;
    this.drawn = given.picture_url === null ? null : given.picture;
    this.look.set(given.look_url);
    preload(this.next);
    this.gate.arm();
    this.skipping.arm();
  }

  /** The picture cannot be shown: the part can be left to others, and it is tried again.
   * @private @param {Case} given */
  async broken(given) {
    if (given !== this.case || part('stage').dataset.shows !== 'broken') return;
    this.skipping.arm();
    await pause(BROKEN_MS);
    if (given === this.case && part('stage').dataset.shows === 'broken') this.draw();
  }

  /** @private */
  nothing() {
    this.blank(Number(part('waiting').dataset.n ?? 0) > 0 ? 'taken' : 'nothing');
    this.state('waiting');
  }

  /** No part on the page. @param {string} what the stage shows instead */
  blank(what) {
    this.lease?.end();
    this.lease = null;
    this.case = null;
    delete document.body.dataset.inspection;
    this.drawn = null;
    this.gate.disarm();
    this.skipping.disarm();
    this.view.set(null);
    this.countdown.clear();
    this.look.set(null);
    this.picture.clear(what);
    show(part('banner-take'), false);
    tell('shown', null);
  }

  /** The part is not this page's any more, and why. @param {{code: string, facts?: any}} error */
  gone(error) {
    if (this.sending) return;
    this.last.note(this.case ? `${called(this.case)}: ${refused(error)}` : refused(error));
    this.finish();
  }

  /** Done with this part: the next. @param {string|null} [wanted] the part to be taken next, if it can be */
  finish(wanted = null) {
    this.blank('drawing');
    this.state('dead');
    this.wanted = wanted ?? this.wanted;
    this.take();
  }

  /** Give the part back to the queue. @param {string} [what] the stage shows instead */
  async giveBack(what = 'nothing') {
    const { lease } = this;
    this.lease = null;
    this.blank(what);
    if (this.paused.has('locked')) lease?.end(); // the station takes back what a locked page had
    else await lease?.release();
  }

  /** What the station says of the part on the page. */
  async check() {
    const given = this.case;
    if (!given) return null;
    const reply = await call('GET', `${ROOT}/inspections/${encodeURIComponent(given.inspection)}/state`);
    if (!reply.ok || given !== this.case || this.sending) return null;
    const { state, fate, by_me: mine, answer } = reply.data;
    if (state === 'decided' && fate && fate.by === 'fallback') this.gone({ code: 'too_late', facts: { fate } });
    else if ((state === 'decided' || state === 'answered') && !mine) {
      this.gone({ code: 'answered', facts: { at: answer?.at ?? fate?.at } });
    }
    return reply.data;
  }

  /** The deadline has passed: the line decides, and the page says what. @private */
  async due() {
    const given = this.case;
    for (let asks = 0; asks < OVER_ASKS && given && given === this.case; asks += 1) {
      await pause(asks === 0 ? 250 : AGAIN_MS);
      if (given === this.case && !this.sending) await this.check();
    }
  }

  /** Stop and go on: nothing is kept from others while nobody is here.
   * @param {string} why @param {boolean} stopped */
  async stop(why, stopped) {
    const before = this.paused.size;
    if (stopped) this.paused.add(why);
    else this.paused.delete(why);
    if (stopped && before === 0 && !this.sending) await this.giveBack(why === 'away' ? 'away' : 'nothing');
    this.state(this.paused.size > 0 || !this.case ? 'waiting' : 'dead');
    if (this.paused.size === 0) this.take();
  }

  /** How long the part has been on the page. */
  get held_ms() {
    return this.lease ? now() - this.lease.begun : 0;
  }
}
