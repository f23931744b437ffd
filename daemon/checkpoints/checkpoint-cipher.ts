import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Secret } from '../secrets/secret.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts text that a file must not show: a callback URL may contain credentials. The key derives from a secret in the
 * daemon's settings, so a restarted daemon can decrypt the text and a stolen file is useless.
 */
export class CheckpointCipher {
  readonly #secret: Secret;
  readonly #keys = new Map<string, Uint8Array>();
  #encryptsWith: string;
  #generation = 0;

  /** @param secret known only to this daemon, such as the Deepgram key; it may change while sessions run */
  constructor(secret: Secret) {
    this.#secret = secret;
    this.#encryptsWith = secret.current;
  }

  /** Grows when the secret changes: text encrypted earlier stays readable for a while and should be encrypted again. */
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

  /** Throws if the text was encrypted with another secret or has been modified. */
  decrypt(encrypted: string): string {
    const [latest = this.#secret.current, ...before] = this.#secret.accepted;
    try {
      return this.#decryptWith(latest, encrypted);
    } catch (error) {
      // Encrypted before the secret changed.
      const [previous] = before;
      if (previous === undefined) throw error;
      return this.#decryptWith(previous, encrypted);
    }
  }

  #decryptWith(secret: string, encrypted: string): string {
    const bytes = Buffer.from(encrypted, 'base64');
    const decipher = createDecipheriv(CIPHER, this.#keyOf(secret), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  }

  /** Cached per secret, because every session is encrypted. */
  #keyOf(secret: string): Uint8Array {
    let key = this.#keys.get(secret);
    if (!key) {
      key = new Uint8Array(hkdfSync('sha256', secret, '', 'integratord checkpoint', 32));
      this.#keys.set(secret, key);
    }
    return key;
  }
}
