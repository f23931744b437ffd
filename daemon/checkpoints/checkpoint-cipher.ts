import { Sealing } from '../secrets/sealing.ts';
import type { Secret } from '../secrets/secret.ts';

/** Encrypts the part of a checkpoint that a file must not show: a callback URL may contain credentials. */
export class CheckpointCipher {
  readonly #sealing: Sealing;

  /** @param secrets the first one encrypts (STATE_KEY, else the Deepgram key); all of them decrypt. They may change. */
  constructor(...secrets: readonly [Secret, ...Secret[]]) {
    this.#sealing = new Sealing(secrets, 'checkpoint');
  }

  /** Grows when the secret changes: text encrypted earlier stays readable for a while and should be encrypted again. */
  get generation(): number {
    return this.#sealing.generation;
  }

  encrypt(text: string): string {
    return this.#sealing.seal(Buffer.from(text)).toString('base64');
  }

  /** Throws NotOpened if the text was encrypted with another secret or has been modified. */
  decrypt(encrypted: string): string {
    return this.#sealing.open(Buffer.from(encrypted, 'base64')).toString('utf8');
  }
}
