/** Many of one cause: their pictures in a grid; several rejected or held together, never accepted. */
import { insist, ROOT } from './api.js';
import { guard } from './buttons.js';
import { Gate, watchLayout } from './gate.js';
import { on, part, tell } from './page.js';
import { tap } from './tap.js';
import { named, refused, t } from './texts.js';

/** @typedef {{inspection: string, picture: string|null, part_id: string|null}} Member */

/** The sheet with the grid. */
export class Group {
  /** @param {import('./last.js').Last} last */
  constructor(last) {
    this.last = last;
    /** @type {HTMLDialogElement} */
    this.sheet = part('group');
    /** @type {Map<HTMLElement, Member>} */
    this.members = new Map();
    this.busy = false;
    this.gate = new Gate((open) => this.draw(open));
    for (const [id, verdict] of [['group-reject', 'reject'], ['group-hold', 'hold']]) {
      guard(part(id), this.gate, () => this.send(verdict));
    }
    watchLayout(this.gate, [part('group-grid'), part('group-reject'), part('group-hold')]);
    part('group-all').addEventListener('click', () => this.choose(true));
    part('group-none').addEventListener('click', () => this.choose(false));
    this.sheet.addEventListener('close', () => { this.gate.disarm(); tell('sheet', false); });
    on('group', (group) => this.open(group));
  }

  /** @param {{cause: string, count: number, inspections: Member[]}} group */
  open(group) {
    part('group-title').textContent = t('group.title', { n: group.count, cause: named('cause', group.cause) });
    part('group-wrong').textContent = '';
    this.members.clear();
    part('group-grid').replaceChildren(...group.inspections.map((member) => this.tile(member)));
    part('group-grid').scrollTop = 0;
    this.changed();
    tell('sheet', true);
    this.sheet.showModal();
    this.gate.arm();
  }

  /** @private @param {Member} member */
  tile(member) {
    const tile = document.createElement('button');
    tile.type = 'button';
    tile.dataset.test = 'group-part';
    tile.setAttribute('aria-pressed', 'false');
    const name = document.createElement('span');
    name.textContent = member.part_id ?? t('queue.no_number');
    tile.append(member.picture ? this.thumb(member, tile) : missing(), name);
    tap(tile, () => {
      if (tile.getAttribute('aria-disabled') === 'true') return;
      tile.setAttribute('aria-pressed', String(tile.getAttribute('aria-pressed') !== 'true'));
      this.changed();
    });
    this.members.set(tile, member);
    return tile;
  }

  /** A picture that cannot be shown cannot be chosen. @private @param {Member} member @param {HTMLElement} tile */
  thumb(member, tile) {
    const image = document.createElement('img');
    image.alt = '';
    image.width = 320;
    image.height = 240;
    image.src = `${ROOT}/pictures/${encodeURIComponent(member.inspection)}/${member.picture}?size=thumb`;
    tile.setAttribute('aria-disabled', 'true');
    image.addEventListener('load', () => tile.removeAttribute('aria-disabled'));
    return image;
  }

  /** @private */
  get chosen() {
    return [...this.members].filter(([tile]) => tile.getAttribute('aria-pressed') === 'true');
  }

  /** @private @param {boolean} all */
  choose(all) {
    for (const tile of this.members.keys()) {
      tile.setAttribute('aria-pressed', String(all && tile.getAttribute('aria-disabled') !== 'true'));
    }
    this.changed();
  }

  /** @private */
  changed() {
    part('group-chosen').textContent = t('group.chosen', { n: this.chosen.length });
    this.gate.touch();
  }

  /** @private @param {boolean} open */
  draw(open) {
    const can = open && !this.busy && this.chosen.length > 0;
    for (const id of ['group-reject', 'group-hold']) part(id).setAttribute('aria-disabled', String(!can));
  }

  /** @private @param {string} verdict */
  async send(verdict) {
    const { chosen } = this;
    if (this.busy || chosen.length === 0) return;
    this.busy = true;
    this.gate.disarm();
    const inspections = chosen.map(([, member]) => ({ inspection: member.inspection, picture: member.picture }));
    const again = () => { part('group-wrong').textContent = t('answered.again'); };
    const reply = await insist('POST', `${ROOT}/together`, { inspections, verdict }, { waiting: again });
    this.busy = false;
    if (!reply.ok) {
      part('group-wrong').textContent = refused(reply.error ?? { code: 'other' });
      this.gate.arm();
      return;
    }
    this.sheet.close();
    this.result(reply.data?.results ?? [], verdict);
    tell('ask', null);
  }

  /** @private @param {any[]} outcomes @param {string} verdict */
  result(outcomes, verdict) {
    const failed = outcomes.filter((one) => one.refused !== null);
    const done = outcomes.length - failed.length;
    const words = done > 0 ? [t('group.done', { n: done, verdict: t(`answered.${verdict}`) })] : [];
    if (failed.length > 0) {
      words.push(t('group.some', { n: failed.length, why: refused({ code: failed[0].refused }) }));
    }
    this.last.note(words.join(' · '), failed.length > 0 ? 'warn' : 'good');
  }
}

function missing() {
  const box = document.createElement('span');
  box.className = 'missing';
  box.textContent = t('group.no_picture');
  return box;
}
