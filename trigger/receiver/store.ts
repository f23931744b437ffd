/** Where requests are kept, one object each. */
export interface Store {
  /** Keeps an object durably; replaces one of that key. */
  put(key: string, content: Uint8Array): Promise<void>;
  /** The keys that begin with `prefix`, in any order. */
  list(prefix: string): Promise<string[]>;
  /** An object; undefined if it has expired. */
  get(key: string): Promise<Buffer | undefined>;
}

/** A part of a key: no slashes, and neither `.` nor `..`. */
const NAME = /^(?!\.+$)[\w.:-]{1,200}$/;

const EXTENSION = '.json';

/** Whether `text` may be a part of a key. Contact ids and webhook ids of integratord are. */
export function isKeyPart(text: string): boolean {
  return NAME.test(text);
}

/** The key of a call's request. */
export function requestKey(contactId: string, webhookId: string): string {
  return `${callPrefix(contactId)}${webhookId}${EXTENSION}`;
}

/** Whether a key of a call may be a request's. Other things come beside them, such as the folders of S3's console. */
export function isRequestKey(contactId: string, key: string): boolean {
  const name = key.slice(callPrefix(contactId).length);
  return name.endsWith(EXTENSION) && isKeyPart(name.slice(0, -EXTENSION.length));
}

/** What the keys of a call's requests begin with. */
export function callPrefix(contactId: string): string {
  if (!isKeyPart(contactId)) throw new Error('not the id of a contact');
  return `calls/${contactId}/`;
}
