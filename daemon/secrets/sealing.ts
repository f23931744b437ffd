import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Secret } from './secret.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONE = Buffer.alloc(0);

/** What sealed bytes are for: each purpose has a key of its own, so that one file cannot take another's place. */
type SealPurpose = 'checkpoint' | 'results';

/** Sealed bytes that no known key opens: made with another secret, or modified. */
export class NotOpened extends Error {
  override readonly name = 'NotOpened';
}

/** How many bytes sealing adds. */
const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/**
 * Seals what a disk or a bucket must not show: transcripts, and callback URLs that may contain credentials. Keys derive
 * from secrets in the daemon's settings, so a restarted daemon opens what it sealed and a stolen file is useless.
 */
export class Sealing {
  readonly #secrets: readonly Secret[];
  readonly #purpose: SealPurpose;
  readonly #keys = new Map<string, KeyObject>();
  #sealsWith: string;
  #generation = 0;

  /** @param secrets the first one seals (STATE_KEY, else the Deepgram key); all of them open. They may change. */
  constructor(secrets: readonly [Secret, ...Secret[]], purpose: SealPurpose) {
    this.#secrets = secrets;
    this.#purpose = purpose;
    this.#sealsWith = secrets[0].current;
  }

  /** Grows when the secret changes: what was sealed earlier opens for a while, and should be sealed again. */
  get generation(): number {
    const { current } = this.#first;
    if (this.#sealsWith !== current) {
      this.#sealsWith = current;
      this.#generation++;
    }
    return this.#generation;
  }

  /** True for a while after the secret was changed: what an earlier process sealed may need to be sealed again. */
  get hasEarlierKey(): boolean {
    return this.#first.accepted.length > 1;
  }

  /** Seals bytes again that an earlier key sealed; undefined if the current one opens them. Throws NotOpened. */
  sealAgain(sealed: Uint8Array): Buffer | undefined {
    try {
      this.#openWith(this.#first.current, sealed, NONE);
      return undefined;
    } catch {
      return this.seal(this.open(sealed));
    }
  }

  /** `context` is not hidden, but must be the same to open the bytes. */
  seal(bytes: Uint8Array, context: Uint8Array = NONE): Buffer {
    return Buffer.concat(this.sealInParts(bytes, context));
  }

  /** The same in parts, for a writer that takes them one after the other: saves a large copy. */
  sealInParts(bytes: Uint8Array, context: Uint8Array = NONE): Buffer[] {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOf(this.#first.current), nonce, { authTagLength: TAG_BYTES });
    if (context.length > 0) cipher.setAAD(context);
    return [nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()];
  }

  /** Throws NotOpened. */
  open(sealed: Uint8Array, context: Uint8Array = NONE): Buffer {
    let cause: unknown;
    for (const secret of new Set(this.#secrets.flatMap(({ accepted }) => accepted))) {
      try {
        return this.#openWith(secret, sealed, context);
      } catch (error) {
        // Sealed before the secret changed.
        cause ??= error;
      }
    }
    throw new NotOpened('sealed with another key, or modified: is STATE_KEY the one that it was sealed with?', {
      cause,
    });
  }

  get #first(): Secret {
    return this.#secrets[0] as Secret;
  }

  #openWith(secret: string, sealed: Uint8Array, context: Uint8Array): Buffer {
    if (sealed.length < SEAL_BYTES) throw new RangeError('too short to be sealed');
    const key = this.#keyOf(secret);
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    if (context.length > 0) decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  }

  /** Cached per secret: deriving one takes longer than sealing, and Node throws and catches an error for other keys. */
  #keyOf(secret: string): KeyObject {
    let key = this.#keys.get(secret);
    if (!key) {
      key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', `integratord ${this.#purpose}`, 32)));
      this.#keys.set(secret, key);
    }
    return key;
  }
}
