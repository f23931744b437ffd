/** What a test plants where it must not come out again is marked by one of these words, or is a number of this kind. */
const MARK = /planted[\w.-]*|[\w.-]*-of-the-stage/i;
const PHONE_NUMBER = /(?:\+|%2B)1[ -]?555[ -]?0100[ -]?\d{3}/i;
/** Of a start; whatever it signs, it is one. */
const SIGNATURE = /v1=[0-9a-f]{64}/;

/** Variables whose values are secrets; shorter values would be found within words. */
const SECRET_VARIABLES = ['DEEPGRAM_API_KEY', 'TRIGGER_SECRET', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const SHORTEST_SECRET = 8;

/** Watches what a process writes for the secrets in its environment, and for what tests plant in its requests. */
export class LeakWatch {
  readonly leaks: string[] = [];
  readonly #secrets: readonly string[];

  constructor(env: Readonly<Record<string, string>>) {
    this.#secrets = SECRET_VARIABLES.map((name) => env[name] ?? '').filter(({ length }) => length >= SHORTEST_SECRET);
  }

  /** Takes a whole line, or more. */
  read(text: string): void {
    const found =
      (MARK.exec(text) ?? PHONE_NUMBER.exec(text) ?? SIGNATURE.exec(text))?.[0] ??
      this.#secrets.find((secret) => text.includes(secret));
    if (found !== undefined) this.leaks.push(`${found} in: ${text}`);
  }
}
