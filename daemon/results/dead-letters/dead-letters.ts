import { errorFields, type Log } from '../../log/log.ts';
import type { Clock } from '../../runtime/clock.ts';
import { NotOpened, type Sealing } from '../../secrets/sealing.ts';
import { type DeadLetter, readLetter, writeLetter } from './letter.ts';
import { eventsIn, type LetterBox, letterName } from './letter-box.ts';

/** `kept`, `lost` when there is no place for dead letters, `failed` when it should be tried again. */
type Kept = 'kept' | 'lost' | 'failed';

/** Where given-up batches are kept, sealed, until an operator has them delivered again. */
export interface DeadLetters {
  /** Never rejects. */
  put(letter: DeadLetter): Promise<Kept>;
}

interface DeadLettersOptions {
  /** Undefined without RESULTS_DEAD_LETTERS and STATE_DIR. */
  readonly box: LetterBox | undefined;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Log;
  /** Events were lost, because their letters made room for later ones. */
  readonly onLost: (events: number) => void;
}

/** Seals given-up batches and keeps them in a bucket or a directory. */
export class SealedLetters implements DeadLetters {
  readonly #options: DeadLettersOptions;
  #isFailing = false;
  /** Of the key that all letters are sealed with, except those that no key opens. */
  #sealedWith: number | undefined;
  #isSealing = false;
  #failsToSeal = false;
  #lastAtEpochMs = 0;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    const { generation, hasEarlierKey } = options.sealing;
    this.#sealedWith = hasEarlierKey ? undefined : generation;
  }

  async put(letter: DeadLetter): Promise<Kept> {
    const { box, sealing, clock } = this.#options;
    if (!box) return 'lost';
    try {
      const bytes = sealing.seal(writeLetter(letter));
      // Two letters of one ms, or of a clock that is set back, are delivered in order too.
      this.#lastAtEpochMs = Math.max(clock.epoch(), this.#lastAtEpochMs + 1);
      const { sink, batch } = letter;
      const events = batch.events.filter(({ sequence }) => sequence !== undefined).length;
      const name = letterName(this.#lastAtEpochMs, bytes.length, events, `${sink}-${batch.id}`);
      const dropped: string[] = [];
      await box.write(name, bytes, (old) => dropped.push(old)).finally(() => this.#noteLost(dropped));
      this.#succeeded();
      return 'kept';
    } catch (error) {
      this.#failed(error);
      return 'failed';
    }
  }

  /** Names of all letters, oldest first. Throws what the bucket or the disk fails with. */
  async names(): Promise<string[]> {
    return (await this.#options.box?.list()) ?? [];
  }

  /** Undefined if it is gone. Throws NotOpened, or what the bucket or the disk fails with. */
  async read(name: string): Promise<DeadLetter | undefined> {
    const sealed = await this.#options.box?.read(name);
    return sealed && readLetter(this.#options.sealing.open(sealed));
  }

  async remove(name: string): Promise<void> {
    await this.#options.box?.remove(name);
  }

  /** Seals all letters again if the key has changed: the one before opens them for a limited time. Never rejects. */
  async sealAgain(): Promise<void> {
    const { box, sealing, log } = this.#options;
    const { generation } = sealing;
    if (!box || generation === this.#sealedWith || this.#isSealing) return;
    this.#isSealing = true;
    let failure: unknown;
    try {
      for (const name of await box.list()) {
        // One that cannot be read must not cost the others.
        await this.#sealLetterAgain(box, name).catch((error: unknown) => {
          failure ??= error;
        });
      }
    } catch (error) {
      failure = error;
    }
    this.#isSealing = false;
    if (failure === undefined) this.#sealedWith = generation;
    else if (!this.#failsToSeal) {
      const fields = { event: 'results.letters-failing', place: box.place, ...errorFields(failure) };
      log.error(fields, 'cannot seal all dead letters with the new key: trying again while the one before opens them');
    }
    this.#failsToSeal = failure !== undefined;
  }

  async #sealLetterAgain(box: LetterBox, name: string): Promise<void> {
    const sealed = await box.read(name);
    if (!sealed) return;
    try {
      const again = this.#options.sealing.sealAgain(sealed);
      if (again) await box.replace(name, again);
    } catch (error) {
      // No later key opens it either; a retry reports it.
      if (!(error instanceof NotOpened)) throw error;
    }
  }

  #noteLost(dropped: readonly string[]): void {
    if (dropped.length === 0) return;
    const { box, log, onLost } = this.#options;
    const events = dropped.reduce((sum, name) => sum + eventsIn(name), 0);
    onLost(events);
    const fields = { event: 'results.letters-lost', place: box?.place, letters: dropped.length, events };
    log.error(fields, 'dead letters exceed RESULTS_SPOOL_MIB: the oldest are gone');
  }

  #succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const { box, log } = this.#options;
    log.info({ event: 'results.letters-recovered', place: box?.place }, 'keeping dead letters again');
  }

  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { box, log } = this.#options;
    const fields = { event: 'results.letters-failing', place: box?.place, ...errorFields(error) };
    log.error(fields, 'cannot keep dead letters: trying again, the events stay where they are');
  }
}
