import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Secret } from '../secrets/secret.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps text that a file must not show: a callback URL may hold credentials. Whoever knows the secret that the daemon
 * runs with can open it, so a restarted daemon can, and a copied file alone is worth nothing.
 */
export class CheckpointCipher {
  readonly #secret: Secret;
  readonly #keys = new Map<string, Uint8Array>();
  #encryptsWith: string;
  #generation = 0;

  /** @param secret what only this daemon's settings hold, such as the Deepgram key; it may change while sessions run */
  constructor(secret: Secret) {
    this.#secret = secret;
    this.#encryptsWith = secret.current;
  }

  /** Changes with the secret: what was sealed before can be opened for a while, and should be sealed again. */
  get generation(): number {
    if (this.#encryptsWith !== this.#secret.current) {
      this.#encryptsWith = this.#secret.current;
      this.#generation++;
    }
    return this.#generation;
  }

  encrypt(text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOf(this.#secret.current), nonce);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
  }

  /** Throws when it was sealed with another secret, or changed since. */
  decrypt(sealed: string): string {
    const [latest = this.#secret.current, ...before] = this.#secret.accepted;
    try {
      return this.#decryptWith(latest, sealed);
    } catch (error) {
      // Sealed by a daemon that knew the secret before it was changed.
      const [previous] = before;
      if (previous === undefined) throw error;
      return this.#decryptWith(previous, sealed);
    }
  }

  #decryptWith(secret: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(CIPHER, this.#keyOf(secret), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  }

  /** Derived once for each value of the secret: sealing is done for every session. */
  #keyOf(secret: string): Uint8Array {
    let key = this.#keys.get(secret);
    if (!key) {
      key = new Uint8Array(hkdfSync('sha256', secret, '', 'integratord checkpoint', 32));
      this.#keys.set(secret, key);
    }
    return key;
  }
}
