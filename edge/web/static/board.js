/** How many wait, how long, what is wrong: the counts and banners over the queue. */
import { now, on, part, say, show, tell } from './page.js';
import { age, minute, named, t } from './texts.js';

const MOST_GROUPS = 2;
const STEADY_MS = 2000; // what passes sooner moves no page: moving it makes the buttons dead

/** What is known of the queue; it remembers what an event did not repeat. */
export class Board {
  constructor() {
    /** @type {any} */
    this.known = {};
    this.since = now();
    this.link = 'connecting';
    /** @type {Map<string, number>} since when a banner is wanted */
    this.wanted = new Map();
    on('queue', (data) => this.take(data));
    on('line', (data) => this.take(data));
    on('link', (state) => { this.link = state; this.draw(); });
    setInterval(() => { this.ages(); this.banners(); }, 1000);
  }

  /** @private @param {any} data */
  take(data) {
    for (const [name, value] of Object.entries(data ?? {})) if (name !== 'new') this.known[name] = value;
    if ('oldest_s' in data) this.since = now();
    this.draw();
    tell('counts', this.known);
  }

  /** @private */
  draw() {
    const { known } = this;
    if (typeof known.waiting === 'number') {
      part('waiting').dataset.n = String(known.waiting);
      say(part('waiting'), known.waiting === 0 ? t('queue.wait_none') : t('queue.wait', { n: known.waiting }));
    }
    this.ages();
    this.banners();
    this.handOver(known.hand_over);
    this.groups(Array.isArray(known.groups) ? known.groups : []);
  }

  /** What is wrong, where it lasts. @private */
  banners() {
    const { known } = this;
    const trouble = (Array.isArray(known.trouble) ? known.trouble : []).map(said).filter(Boolean);
    const lost = this.link === 'lost';
    show(part('banner-offline'), lost);
    this.steady('banner-stale', !lost && known.stale === true);
    this.steady('banner-line', !lost && known.line === 'down');
    this.steady('banner-trouble', trouble.length > 0);
    if (trouble.length > 0) say(part('trouble-words'), trouble.join(' · '));
  }

  /** @private @param {string} id @param {boolean} wanted */
  steady(id, wanted) {
    if (!wanted) this.wanted.delete(id);
    else if (!this.wanted.has(id)) this.wanted.set(id, now());
    show(part(id), wanted && now() - (this.wanted.get(id) ?? 0) >= STEADY_MS);
  }

  /** @private */
  ages() {
    const oldest = this.known.oldest_s;
    const old = typeof oldest === 'number' && this.known.waiting > 0;
    say(part('oldest'), old ? t('queue.oldest', { age: age(oldest + (now() - this.since) / 1000) }) : '');
  }

  /** The note of whoever went before. @private @param {any} given */
  handOver(given) {
    const seen = sessionStorage.getItem('hand_over');
    const key = given ? String(given.at) : '';
    show(part('banner-hand-over'), Boolean(given) && seen !== key);
    if (!given) return;
    say(part('hand-over-from'), t('hand_over.from', { at: minute(given.at) }));
    const counts = t('hand_over.counts', { answered: given.answered, waiting: given.waiting });
    say(part('hand-over-words'), [given.note, counts].filter(Boolean).join(' · '));
    part('hand-over-seen').onclick = () => {
      sessionStorage.setItem('hand_over', key);
      show(part('banner-hand-over'), false);
    };
  }

  /** Many of one cause are one banner. @private @param {any[]} groups */
  groups(groups) {
    const box = part('groups');
    const shown = groups.slice(0, MOST_GROUPS);
    const key = JSON.stringify(shown.map((group) => [group.cause, group.count, group.since]));
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...shown.map((group) => {
      const line = document.createElement('div');
      line.className = 'banner warn';
      line.dataset.test = 'banner-group';
      line.setAttribute('role', 'status');
      const words = document.createElement('p');
      const said = document.createElement('b');
      said.textContent = t('banner.group', {
        n: group.count, cause: named('cause', group.cause), at: minute(group.since), advice: named('advice', group.cause),
      });
      words.append(said);
      const open = document.createElement('button');
      open.type = 'button';
      open.className = 'button';
      open.dataset.test = 'group-open';
      open.textContent = t('banner.group_open');
      open.addEventListener('click', () => tell('group', this.known.groups.find((/** @type {any} */ one) => one.cause === group.cause) ?? group));
      line.append(part('icon-group').content.cloneNode(true), words, open);
      return line;
    }));
  }
}

/** What is wrong, in the station's own words, and since when. @param {any} one */
function said(one) {
  return [one?.message, minute(one?.at)].filter(Boolean).join(', ');
}
