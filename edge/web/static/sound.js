/** Two tones, made here. The browser allows them after the first touch of the page. */
import { part, tell } from './page.js';
import { t } from './texts.js';

const TONES = [[880, 0], [1175, 0.22], [880, 0.6], [1175, 0.82]]; // Hz, seconds from now
const LOUD = 0.35;
const KEPT = 'muted';

/** Sounds, unless somebody has switched them off on this tablet. */
export class Sound {
  constructor() {
    this.button = part('sound');
    this.muted = localStorage.getItem(KEPT) === 'yes';
    /** @type {AudioContext|null} made at the first touch: before it the browser would refuse */
    this.context = null;
    for (const name of ['pointerdown', 'keydown']) addEventListener(name, () => this.unlock(), true);
    this.button.addEventListener('click', () => {
      this.muted = !this.muted;
      localStorage.setItem(KEPT, this.muted ? 'yes' : 'no');
      if (!this.muted) this.play();
      this.draw();
    });
    this.draw();
  }

  /** @private */
  unlock() {
    if (this.context === null) {
      this.context = new AudioContext();
      this.context.addEventListener('statechange', () => this.draw());
      this.draw();
    } else if (this.context.state === 'suspended') this.context.resume().catch(() => { /* at the next touch */ });
  }

  /** @private */
  draw() {
    const blocked = !this.muted && this.context?.state !== 'running';
    this.button.setAttribute('aria-pressed', String(this.muted));
    this.button.toggleAttribute('data-blocked', blocked);
    this.button.title = blocked ? t('sound.locked') : t(this.muted ? 'sound.unmute' : 'sound.mute');
  }

  /** The two tones, twice. */
  play() {
    const { context } = this;
    if (this.muted || context?.state !== 'running') return;
    for (const [pitch, after] of TONES) this.tone(context, pitch, context.currentTime + after);
    tell('sounded', null);
  }

  /** @private @param {AudioContext} context @param {number} pitch @param {number} from */
  tone(context, pitch, from) {
    const voice = context.createOscillator();
    const volume = context.createGain();
    voice.type = 'triangle';
    voice.frequency.value = pitch;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(LOUD, from + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.2);
    voice.connect(volume).connect(context.destination);
    voice.start(from);
    voice.stop(from + 0.22);
  }
}
