/** What the page says of one part: its number, why it is asked, what the model said, its types. */
import { part, say, setup, show } from './page.js';
import { tap } from './tap.js';
import { at, named, t } from './texts.js';

const LONG = 12;
const thousandths = new Intl.NumberFormat(setup.language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });

/** @typedef {{inspection: string, part_id: string|null, captured_at: string, reason: string|null,
 *   doubts: string[], left_s: number|null, allowed_s?: number|null, alone: boolean,
 *   basis: 'picture'|'part', picture: string|null, picture_url: string|null, look_url: string|null,
 *   answer: any, types: string[], shown: boolean}} Case */

/** How a part is called. @param {Case} given */
export const called = (given) => given.part_id ?? t('queue.no_number');

/** The side of the page, for one case. */
export class CaseView {
  constructor() {
    /** @type {Set<string>} */
    this.chosen = new Set();
    part('note').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter' || event.key === 'Escape') part('note').blur();
    });
  }

  /** @param {Case|null} given null: there is none */
  set(given) {
    document.body.dataset.inspection = given?.inspection ?? '';
    for (const id of ['part', 'note-box']) show(part(id), given !== null);
    this.chosen.clear();
    part('note').value = '';
    this.types(given?.types ?? []);
    this.answer(given?.answer ?? null, false);
    part('stage').toggleAttribute('data-part', given?.basis === 'part');
    if (!given) {
      say(part('part-number'), '');
      return;
    }
    const number = part('part-number');
    say(number, called(given));
    number.classList.toggle('none', given.part_id === null);
    number.classList.toggle('long', (given.part_id ?? '').length > LONG);
    const why = given.reason ? named('reason', given.reason) : '';
    show(part('alone'), given.alone);
    say(part('because'), [why, t('queue.seen_at', { at: at(given.captured_at) })].filter(Boolean).join(' · '));
    const doubt = given.picture_url === null ? t('queue.no_picture') : named('doubt', given.doubts[0]);
    say(part('part-why'), t('queue.look_at_part_words', { why: doubt }));
  }

  /** What the person adds to the answer. @returns {{label?: string, note?: string}} */
  added() {
    const note = part('note').value.trim();
    const [label] = this.chosen;
    return { ...(label ? { label } : {}), ...(note ? { note } : {}) };
  }

  /** One type at most: a label is one word. @private @param {string[]} types */
  types(types) {
    show(part('types'), types.length > 0);
    part('type-list').replaceChildren(...types.map((name) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.dataset.test = `type-${name}`;
      button.setAttribute('aria-pressed', 'false');
      tap(button, () => {
        const on = !this.chosen.has(name);
        this.chosen.clear();
        if (on) this.chosen.add(name);
        for (const other of part('type-list').children) {
          other.setAttribute('aria-pressed', String(on && other === button));
        }
      });
      return button;
    }));
  }

  /** What the model said; `revealed` after the person's own answer.
   * @param {any} answer @param {boolean} revealed */
  answer(answer, revealed) {
    show(part('answer'), answer !== null);
    part('answer').classList.toggle('revealed', revealed);
    if (!answer) return;
    const label = answer.label ?? '–';
    const none = answer.score === null || answer.score === undefined;
    say(part('answer-label'), none ? t('answered.revealed_none') : t(revealed ? 'answered.revealed' : 'queue.model_says', { label }));
    say(part('answer-would'), answer.would_be ? t(`queue.would_${answer.would_be}`) : '');
    say(part('answer-score'), none ? '' : t('queue.score', { score: thousandths.format(answer.score) }));
    show(part('scale'), !none);
    if (!none) this.scale(answer);
  }

  /** @private @param {any} answer */
  scale(answer) {
    part('scale-mark').style.left = `${100 * answer.score}%`;
    const zone = (/** @type {string} */ name, /** @type {number} */ share) => {
      const line = document.createElement('i');
      line.className = name;
      line.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
      return line;
    };
    const cuts = answer.cuts;
    part('scale-cuts').replaceChildren(...(cuts
      ? [zone('accept', cuts.accept_below ?? 0), zone('reject', 1 - (cuts.reject_above ?? 1))] : []));
  }
}
