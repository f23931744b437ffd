/** Where requests are kept, one object each. */
export interface Store {
  /** Keeps an object; replaces one of that key. */
  put(key: string, content: Uint8Array): Promise<void>;
  /** The keys that begin with `prefix`, in any order. */
  list(prefix: string): Promise<string[]>;
  /** An object; undefined if it has expired. */
  get(key: string): Promise<Buffer | undefined>;
}

/** A part of a key: no slashes, and neither `.` nor `..`. */
const NAME = /^(?!\.+$)[\w.:-]{1,200}$/;

/** Whether `text` may be a part of a key. Contact ids and webhook ids of integratord are. */
export function isKeyPart(text: string): boolean {
  return NAME.test(text);
}

/** The key of a call's request. */
export function requestKey(contactId: string, webhookId: string): string {
  return `${callPrefix(contactId)}${webhookId}.json`;
}

/** What the keys of a call's requests begin with. */
export function callPrefix(contactId: string): string {
  if (!isKeyPart(contactId)) throw new Error('not the id of a contact');
  return `calls/${contactId}/`;
}
